"""The process in which templates run: `python -m worker.templates.child SECONDS BYTES HOLD`.

It is given templates and values on its standard input and answers on its standard output; it
ends when its input ends. Answers are held for up to HOLD seconds, to be sent several at once;
with 0, the first job without an answer is the one that ended the process.

Time is bounded twice: by a signal that Python sees between two steps, and by one that ends the
process wherever it is.
"""

import os
import resource
import signal
import sys
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, BinaryIO

import orjson

from communication.catalogue.snapshot import Fault, Medium, Snapshot
from worker.templates.rendering import CompiledTemplate, RenderError, TooSlow
from worker.templates.wire import HEAD, Failure, answer, read_template

MOST_COMPILED = 32
HARD = 10
"""Times the limit, of the clock's time: a busy machine is no endless loop."""
_DEAF = 2
"""Times the limit, of the processor's time: what runs in C does not hear that it takes too long."""
_OPEN_FILES = 64
_MOST_HELD = 1 << 16
_MOST_READ = 1 << 20
_SIZE = Path("/proc/self/statm")


def main() -> None:
    """Answer requests until there are no more."""
    seconds, memory, hold = float(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    answers = _Answers(_take_output(), hold)
    _bound(memory)
    compiled = _Compiled()
    for kind, *said in _frames(before_waiting=answers.send):
        if kind == "template":
            compiled.learn(read_template(*said))
            continue
        result = _render(compiled, said, seconds)
        answers.add(answer(result))
        if isinstance(result, Failure) and result.fatal:
            break  # memory ran out, or a library panicked: a new process begins afresh
    answers.send()


class _Answers:
    """Answers on their way to the parent."""

    def __init__(self, output: BinaryIO, hold: float) -> None:
        self._output = output
        self._hold = hold
        self._held = bytearray()
        self._since = 0.0

    def add(self, data: bytes) -> None:
        moment = time.monotonic()
        if not self._held:
            self._since = moment
        self._held += data
        if moment - self._since >= self._hold or len(self._held) > _MOST_HELD:
            self.send()

    def send(self) -> None:
        self._output.write(self._held)
        self._output.flush()
        self._held = bytearray()


class _Compiled:
    """Templates made ready lately, by version and locale."""

    def __init__(self) -> None:
        self.snapshots: dict[str, Snapshot] = {}
        self._recent: OrderedDict[tuple[str, str], CompiledTemplate] = OrderedDict()

    def learn(self, snapshot: Snapshot) -> None:
        self.snapshots[snapshot.version] = snapshot

    def get(self, version: str, locale: str | None) -> CompiledTemplate:
        snapshot = self.snapshots[version]
        key = (version, snapshot.effective_locale(locale))
        if key not in self._recent:
            self._recent[key] = CompiledTemplate(snapshot, locale)
            if len(self._recent) > MOST_COMPILED:
                self._recent.popitem(last=False)
        self._recent.move_to_end(key)
        return self._recent[key]


def _render(compiled: _Compiled, job: list[Any], seconds: float) -> Any:
    version, medium, locale, values, receiver, subject = job
    try:
        with _limited(seconds):
            template = compiled.get(version, locale)
            return template.render(Medium(medium), values, receiver=receiver, subject=subject)
    except RenderError as error:
        fatal = isinstance(error.__cause__, MemoryError | TooSlow)
        return Failure(error.fault, fatal=fatal)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # noqa: BLE001 - a library's panic is no Exception
        name = compiled.snapshots[version].name
        what = (
            "takes too long" if isinstance(error, TooSlow) else f"{type(error).__name__}: {error}"
        )
        return Failure(Fault(message=what[:300], file=name), fatal=True)


@contextmanager
def _limited(seconds: float) -> Iterator[None]:
    """TooSlow after so much of the processor's time; the end after more, or by the clock."""
    signal.setitimer(signal.ITIMER_REAL, seconds * HARD + 1)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds * _DEAF + 1)
    signal.setitimer(signal.ITIMER_PROF, seconds, seconds)
    try:
        yield
    finally:
        for timer in (signal.ITIMER_PROF, signal.ITIMER_VIRTUAL, signal.ITIMER_REAL):
            signal.setitimer(timer, 0)


def _frames(before_waiting: Callable[[], None]) -> Iterator[list[Any]]:
    """Frames of standard input until it ends."""
    data = bytearray()
    while True:
        end = HEAD + int.from_bytes(data[:HEAD], "big")
        if len(data) >= max(end, HEAD + 1):
            said = orjson.loads(data[HEAD:end])
            del data[:end]
            yield said
            continue
        before_waiting()
        more = os.read(0, _MOST_READ)
        if not more:
            return
        data += more


def _take_output() -> BinaryIO:
    """Standard output for answers alone: what else is printed goes to standard error."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answers


def _bound(memory: int) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # it ends when its parent has no more for it
    signal.signal(signal.SIGPROF, _too_slow)
    for number in (signal.SIGALRM, signal.SIGVTALRM):
        signal.signal(number, signal.SIG_DFL)
    limits = {resource.RLIMIT_CORE: 0, resource.RLIMIT_NOFILE: _OPEN_FILES}
    if _SIZE.exists():
        pages = int(_SIZE.read_text().split()[0])
        limits[resource.RLIMIT_AS] = pages * resource.getpagesize() + memory
    for kind, limit in limits.items():
        resource.setrlimit(kind, (limit, limit))


def _too_slow(_signal: int, _frame: FrameType | None) -> None:
    raise TooSlow


if __name__ == "__main__":
    main()
