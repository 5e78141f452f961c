"""Templates edited while messages are rendered from them, by several processes at once."""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from communication.catalogue.catalogue import BREATH
from tests.running import START_WITHIN
from tests.templates import write
from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]
READERS = 3
PATIENCE = 600
# The size that the design speaks of takes minutes: TIDINGS_TEST_EDITS=2000,20000.
EDITS, MESSAGES = map(int, os.environ.get("TIDINGS_TEST_EDITS", "80,800").split(","))
ROUNDS = (0, 1, 5)
"""Of rendering, between edits: as fast as can be, and slower."""


def texts(edit: int) -> dict[str, str]:
    filler = "x" * 3000
    mark = f'{{{{ "<{edit}>" }}}}'
    return {
        "hello/sms.txt": f"{mark} {{% include '_parts/foot.txt' %}}",
        "hello/email.subject.txt": mark,
        "hello/email.html": f"<p>{mark}</p><!-- {filler} --><p>{mark}</p>"
        "{% include '_parts/foot.txt' %}",
        "_parts/foot.txt": mark,
    }


def save_in_place(folder: Path, files: dict[str, str]) -> None:
    write(folder, files)


def save_by_renaming(folder: Path, files: dict[str, str]) -> None:
    for path, text in files.items():
        draft = folder / f"{path}.part"
        draft.write_text(text)
        draft.replace(folder / path)


def break_one(folder: Path, _files: dict[str, str]) -> None:
    (folder / "hello/email.html").write_text("<p>{{ <0> ")


WAYS = (save_in_place, save_by_renaming, break_one)


@contextmanager
def readers(*arguments: object) -> Iterator[list[subprocess.Popen[str]]]:
    """Some that read until they are told that it is over, or the end of the block."""
    command = [sys.executable, "-m", "tests.faults.template_reader", *map(str, arguments)]
    started = [
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        for _ in range(READERS)
    ]
    try:
        yield started
    finally:
        for one in started:
            one.kill()
            one.communicate()


def await_readers(rounds: Path, kept: Path, edit: int) -> None:
    """Leave them time before the next edit: some rounds, or, as people do, until it is seen."""
    pace = edit // 10 % (len(ROUNDS) + 1)
    if pace < len(ROUNDS):
        enough = rounds.stat().st_size + ROUNDS[pace]
        wait_until(lambda: rounds.stat().st_size >= enough, every=0.001)
    elif WAYS[edit % len(WAYS)] is not break_one:
        wait_until(lambda: f"<{edit}>" in kept.read_text())


def edited(folder: Path, rounds: Path, kept: Path) -> set[int]:
    """Edit again and again; the edits amid which this process was kept waiting."""
    slow = set()
    for edit in range(1, EDITS + 1):
        began = time.monotonic()
        WAYS[edit % len(WAYS)](folder, texts(edit))
        if time.monotonic() - began >= BREATH:
            slow.add(edit)
        await_readers(rounds, kept, edit)
    save_in_place(folder, texts(EDITS + 1))
    return slow


def test_each_message_is_of_one_edit_and_none_fails(tmp_path: Path) -> None:
    folder, keep, over = tmp_path / "templates", tmp_path / "keep", tmp_path / "over"
    rounds, kept = tmp_path / "rounds", keep / "hello.json"
    write(folder, texts(0))
    with readers(folder, keep, rounds, over, MESSAGES // READERS) as started:
        # One that starts later, while the newest version is a broken one, finds a good one here.
        wait_until(lambda: kept.exists() and rounds.exists(), within=START_WITHIN)
        slow = edited(folder, rounds, kept)
        over.touch()
        told = [json.loads(one.communicate(timeout=PATIENCE)[0]) for one in started]

    wrong = [(edits, what) for one in told for edits, what in one["wrong"]]
    # In a slow edit the files looked saved before they were.
    assert [what for edits, what in wrong if not slow & set(edits)] == []
    seen = Counter[str]()
    for one in told:
        seen.update(one["seen"])
    print(f"{EDITS} edits, {seen.total()} messages, of {len(seen)} edits")
    assert seen.total() >= MESSAGES
    assert len(seen) > EDITS / 20
