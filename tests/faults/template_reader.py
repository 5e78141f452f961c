"""Renders messages from a folder that is being edited: `python -m tests.faults.template_reader`.

Takes the folder, one for the good versions, a file that grows with each round of rendering, one
that says that the editing is over, and how many messages to render at least. Prints, as JSON, how
many were of each edit, and what was wrong: messages of two edits at once, with their numbers, and
failures.
"""

import json
import re
import sys
from collections import Counter
from pathlib import Path

from communication.catalogue.catalogue import Catalogue, Medium
from communication.log import configure_logging
from worker.templates.renderer import Renderer, Result
from worker.templates.rendering import Rendered
from worker.templates.wire import RenderJob

BATCH = 50
_EDIT = re.compile("<([0-9]+)>")


def main() -> None:
    configure_logging("critical", process="reader")
    folder, keep, progress, over = map(Path, sys.argv[1:5])
    least = int(sys.argv[5])
    renderer = Renderer(processes=1, seconds=5, memory=2**28)
    catalogue = Catalogue(folder, keep, trial=renderer.trial)
    seen: Counter[int] = Counter()
    wrong: list[tuple[list[int], str]] = []

    def note(job: RenderJob, result: Result) -> None:
        texts = [result.subject, result.text, result.html] if isinstance(result, Rendered) else []
        edits = {int(edit) for text in texts if text for edit in _EDIT.findall(plain(text))}
        if len(edits) == 1:
            seen.update(edits)
        else:
            wrong.append((sorted(edits), f"{job.medium}: {result!r}"))

    rounds = 0
    while rounds * BATCH < least or not over.exists():
        medium = (Medium.SMS, Medium.EMAIL)[rounds % 2]
        snapshot = catalogue.snapshot("hello")
        job = RenderJob(snapshot=snapshot, medium=medium, locale=None, values={}, receiver={})
        renderer.render([job] * BATCH, note)
        with progress.open("ab") as told:
            told.write(b".")
        rounds += 1
    renderer.close()
    print(json.dumps({"seen": seen, "wrong": wrong}))


def plain(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">")


if __name__ == "__main__":
    main()
