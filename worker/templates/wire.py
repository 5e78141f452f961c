"""What the renderer and its children say to each other: JSON in frames.

Not pickles: a child has run templates, so nothing that it says may run here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from communication.catalogue.composition import compose
from communication.catalogue.snapshot import Fault, Medium, Snapshot
from worker.templates.rendering import Rendered

HEAD = 8
"""Bytes before each frame: its length, big-endian."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderJob:
    """One message to render. `key` is the caller's own; jobs of a `group` often fail alike."""

    key: int = 0
    group: int = 0
    snapshot: Snapshot
    medium: Medium
    locale: str | None
    values: Mapping[str, Any]
    receiver: Mapping[str, Any]
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no message. `fatal`: the child had to be ended, or gives up itself."""

    fault: Fault
    fatal: bool = False


def frame(value: object) -> bytes:
    """JSON with its length before it."""
    data = orjson.dumps(value)
    return len(data).to_bytes(HEAD, "big") + data


def template_frame(snapshot: Snapshot) -> bytes:
    """A version that the jobs after it may name."""
    return frame(["template", snapshot.name, snapshot.default_locale, dict(snapshot.files)])


def job_frame(job: RenderJob) -> bytes:
    """One message to render; each is answered by one frame, in this order."""
    about = [job.snapshot.version, job.medium, job.locale]
    return frame(["job", *about, dict(job.values), dict(job.receiver), job.subject])


def read_template(name: str, locale: str, files: Mapping[str, str]) -> Snapshot:
    """The other end of `template_frame`."""
    return compose(name, files, {}, default_locale=locale)


def answer(result: Rendered | Failure) -> bytes:
    """What became of one job."""
    if isinstance(result, Rendered):
        texts = [result.subject, result.preheader, result.text, result.html]
        return frame(["rendered", *texts])
    fault = result.fault
    return frame(["failed", fault.message, fault.file, fault.line, fault.column, result.fatal])


def read_answer(said: list[Any]) -> Rendered | Failure:
    """The other end of `answer`."""
    match said:
        case ["rendered", subject, preheader, str(text), html]:
            return Rendered(subject=subject, preheader=preheader, text=text, html=html)
        case ["failed", str(message), file, line, column, bool(fatal)]:
            fault = Fault(message=message, file=file, line=line, column=column)
            return Failure(fault, fatal=fatal)
        case _:
            raise ValueError("no answer")
