"""Rendering in child processes, bounded in time, memory and output.

No template and no value takes a worker down: what takes too long, or ends its process, fails
alone, and the others of its batch go on in another process.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from queue import SimpleQueue

import structlog

from communication.catalogue.snapshot import Fault, Medium, Snapshot
from communication.errors import (
    DeliveryError,
    PermanentDeliveryError,
    TransientDeliveryError,
)
from worker.templates.process import ChildGone, ChildProcess
from worker.templates.rendering import Rendered
from worker.templates.strikes import Strikes
from worker.templates.wire import Failure, RenderJob

Result = Rendered | DeliveryError
Done = Callable[[RenderJob, Result], None]

ROUND = 100
"""Most jobs that one child is given at once."""

HOLD = 0.02
"""Seconds that answers may wait for others: a burst costs less than many calls."""

log = structlog.get_logger("worker.templates")


class NotRendered(PermanentDeliveryError):
    """A template and values that make no message. The reason names template, file and line."""

    def __init__(self, template: str, fault: Fault) -> None:
        super().__init__(f"template {template!r}: {fault}")
        self.fault = fault


class Renderer:
    """Shared by threads. Its processes start when they are first needed."""

    def __init__(self, *, processes: int, seconds: float, memory: int) -> None:
        self._seconds = seconds
        self._memory = memory
        self._trusted = _Slots(processes, hold=HOLD)
        self._suspected = _Slots(1, hold=0)
        """Where versions run that ended a process lately, and new ones for the first time."""
        self._strikes = Strikes()

    def render(self, jobs: Sequence[RenderJob], done: Done) -> None:
        """Render all; `done` is called for each when it is ready, not in the order given."""
        healthy, suspected = self._sorted(jobs, done)
        while healthy:
            left, doubtful = self._round(self._trusted, healthy[:ROUND], done)
            healthy, found = self._sorted(left + healthy[ROUND:], done)
            suspected += found + doubtful
        while suspected:
            left, _ = self._round(self._suspected, suspected[:ROUND], done)
            healthy, suspected = self._sorted(left + suspected[ROUND:], done)
            suspected += healthy

    def trial(self, snapshot: Snapshot) -> Fault | None:
        """What is wrong with a new version, as its own examples show; None if they show nothing.

        Without an example for each characteristic that it needs there is nothing to show.
        """
        faults: list[Fault] = []

        def note(_job: RenderJob, result: Result) -> None:
            if isinstance(result, NotRendered):
                faults.append(result.fault)

        left = _trial_jobs(snapshot)
        while left and not faults:
            left, _ = self._round(self._suspected, left, note)
        return faults[0] if faults else None

    def _sorted(
        self, jobs: Iterable[RenderJob], done: Done
    ) -> tuple[list[RenderJob], list[RenderJob]]:
        """The healthy and the suspected, without those whose verdict is known."""
        healthy: list[RenderJob] = []
        suspected: list[RenderJob] = []
        for job in jobs:
            verdict = self._strikes.verdict(job)
            if verdict is not None:
                done(job, verdict)
            else:
                (suspected if self._strikes.suspects(job) else healthy).append(job)
        return healthy, suspected

    def close(self) -> None:
        """End the processes, after the last rendering."""
        for slots in (self._trusted, self._suspected):
            while not slots.free.empty():
                child = slots.free.get()
                if child is not None:
                    child.end()

    def _round(
        self, slots: "_Slots", jobs: list[RenderJob], done: Done
    ) -> tuple[list[RenderJob], list[RenderJob]]:
        """Have one child render jobs.

        Returns those that it did not come to, and those of which one ended it.
        """
        left = deque(jobs)
        try:
            with self._child(slots) as child:
                child.send(jobs)
                while left:
                    answer = child.receive()
                    job = left.popleft()
                    if isinstance(answer, Rendered):
                        done(job, answer)
                        continue
                    self._fail(job, answer, done)
                    if answer.fatal:
                        child.end()
                        break
        except ChildGone as gone:
            return self._gone(gone, left, done, is_exact=slots.hold == 0)
        return [*left], []

    def _gone(
        self, gone: ChildGone, left: deque[RenderJob], done: Done, *, is_exact: bool
    ) -> tuple[list[RenderJob], list[RenderJob]]:
        """What is left, and what is doubtful; `is_exact`: the first one left ended the child."""
        if not gone.guilty:
            log.warning("rendering is not possible now", why=gone.reason)
            for job in left:
                done(job, TransientDeliveryError(f"rendering is not possible: {gone.reason}"))
            return [], []
        if not is_exact:
            return [], [*left]
        job = left.popleft()
        fault = Fault(message=gone.reason, file=job.snapshot.name)
        self._fail(job, Failure(fault, fatal=True), done)
        return [*left], []

    @contextmanager
    def _child(self, slots: "_Slots") -> Iterator[ChildProcess]:
        """A child of one's own. One that is spent is replaced at once, for it starts slowly."""
        child = slots.free.get()
        try:
            child = child or self._start(slots)
            yield child
        except BaseException:
            if child is not None:
                child.end()
            raise
        finally:
            slots.free.put(self._next(slots, child))

    def _next(self, slots: "_Slots", child: ChildProcess | None) -> ChildProcess | None:
        if child is None or (child.usable and not child.worn):
            return child
        child.end()
        try:
            return self._start(slots)
        except ChildGone:
            return None

    def _start(self, slots: "_Slots") -> ChildProcess:
        try:
            return ChildProcess(seconds=self._seconds, memory=self._memory, hold=slots.hold)
        except OSError as error:
            raise ChildGone(f"no process can be started: {error}", guilty=False) from error

    def _fail(self, job: RenderJob, failure: Failure, done: Done) -> None:
        error = NotRendered(job.snapshot.name, failure.fault)
        if failure.fatal:
            log.error("rendering ended its process", reason=error.reason)
            self._strikes.add(job, error.reason)
        done(job, error)


class _Slots:
    """Places for processes that hold their answers alike; in an empty one none has been started."""

    def __init__(self, count: int, *, hold: float) -> None:
        self.hold = hold
        self.free: SimpleQueue[ChildProcess | None] = SimpleQueue()
        for _ in range(count):
            self.free.put(None)


def _trial_jobs(snapshot: Snapshot) -> list[RenderJob]:
    """Each medium in each locale, with the examples; none for media that lack an example."""
    values = {
        name: one.example
        for name, one in snapshot.characteristics.items()
        if one.example is not None
    }
    return [
        RenderJob(
            snapshot=snapshot,
            medium=medium,
            locale=locale,
            values=values,
            receiver={"name": "Ann", "id": "1"},
            subject=None,
        )
        for medium in Medium
        for locale in (snapshot.default_locale, *snapshot.locales)
        if snapshot.has(medium, locale) and snapshot.needs[medium] <= values.keys()
    ]
