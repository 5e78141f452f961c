"""A batch of deliveries: taken, sent side by side, recorded as the answers come in."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from threading import Condition, Event

import structlog
from prometheus_client import Counter

from communication import due, metrics
from communication.clock import now
from communication.errors import ServiceUnavailable
from communication.lanes import lane_of
from communication.model import DELIVERY, State
from communication.settings import Settings
from communication.store import Store
from worker.deliver import SOON, Deliverer
from worker.isolation import Isolation
from worker.jobs import Taken, begin, gone, take_jobs, whose
from worker.outcomes import Outcome, settle
from worker.pool import Pool
from worker.render import Job
from worker.templating import Templating

FLUSH_EVERY = 0.05
"""Seconds: a killed worker repeats at most what it sent in this time."""
LOOK_EVERY = 0.25
"""Seconds between looks at what was cancelled or deleted while a batch is sent."""
PERSEVERE = 0.5
"""Seconds between tries to record outcomes while the database is away."""

log = structlog.get_logger(part="worker.batch")


class Answers:
    """What became of the jobs of one batch, as it becomes known."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._given: list[tuple[Job, Outcome | None]] = []
        self._enough = 1
        self._since = 0.0
        self.gone: set[int] = set()
        """Messages that were cancelled or deleted meanwhile."""
        self.looked = time.monotonic()

    def put(self, job: Job, outcome: Outcome | None) -> None:
        """Answer one; None gives it back."""
        with self._changed:
            if not self._given:
                self._since = time.monotonic()
            self._given.append((job, outcome))
            if len(self._given) >= self._enough:
                self._changed.notify()

    def gather(self, expected: int) -> list[tuple[Job, Outcome | None]]:
        """What is answered when all that is expected is, or the first of it FLUSH_EVERY ago."""
        with self._changed:
            self._enough = expected
            left = FLUSH_EVERY
            while left > 0 and not self._changed.wait_for(self._is_enough, left):
                left = self._since + FLUSH_EVERY - time.monotonic() if self._given else 0
            given, self._given = self._given, []
        return given

    def _is_enough(self) -> bool:
        return len(self._given) >= self._enough


class BatchRunner:
    """Runs batches of one channel; shared by the threads of a worker process."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        deliverer: Deliverer,
        isolation: Isolation | None = None,
        templating: Templating | None = None,
    ) -> None:
        self._store = store
        self._isolation = isolation or Isolation()
        self._templating = templating
        self._lease = timedelta(seconds=settings.lease)
        self._suppressing = settings.suppression
        self._deliverer = deliverer
        self._pool = Pool(deliverer.channel.concurrency)
        self._stopping = Event()

    def stop(self) -> None:
        """Begin nothing more: what is in flight ends and is recorded, the rest is given back."""
        self._stopping.set()

    def close(self) -> None:
        """Let go of threads and connections, after the last batch."""
        self._pool.close()
        self._deliverer.close()

    def run(self, keys: Sequence[int], relayed: str, *, alone: bool = False) -> None:
        """Deliver what of `keys` is still leased under `relayed`; `alone`: with nothing beside."""
        rest = self._deliverer.resting()
        if rest:
            keys = self._put_off(keys, relayed, rest)
        if not keys:
            return
        with self._isolation.alone() if alone else self._isolation.side_by_side():
            taken = self._take(keys, relayed)
            if taken is None:
                return
            if taken.not_begun:
                with self._store.write() as connection:
                    begin(connection, taken.not_begun, now())
            self._send_all(taken)

    def _put_off(self, keys: Sequence[int], relayed: str, rest: float) -> list[int]:
        """All at once, hardly read: what is due for a dead provider costs next to nothing.

        Returns what needs no provider: it is served all the same.
        """
        until = now() + timedelta(seconds=max(rest, SOON))
        with self._store.write() as connection:
            put_off = whose(connection, keys, lease=relayed)
            served = [key for key, (_, one) in put_off.items() if self._deliverer.needs_nobody(one)]
            for key in served:
                del put_off[key]
            due.release(connection, DELIVERY, list(put_off), lease=relayed, now=until)
        metrics.count((metrics.PUT_OFF, (tenant,)) for tenant, _ in put_off.values())
        return served

    def _take(self, keys: Sequence[int], relayed: str) -> Taken | None:
        """Take what waited long in the broker for a whole lease: none may end as it is begun."""
        with self._store.write() as connection:
            taken = take_jobs(connection, keys, relayed=relayed, suppressing=self._suppressing)
            moment = now()
            if taken is None or not self._runs_out(taken.until, moment):
                return taken
            until = moment + self._lease
            taken_keys = [job.delivery_key for job in taken.jobs]
            due.renew(connection, DELIVERY, taken_keys, lease=taken.lease, until=until)
        return replace(taken, until=until)

    def _runs_out(self, until: datetime, moment: datetime) -> bool:
        return until - moment <= self._lease * 2 / 3

    def _send_all(self, taken: Taken) -> None:
        answers = Answers()
        unrendered = [job for job in taken.jobs if self._is_to_be_rendered(job)]
        if unrendered and self._templating:
            self._templating.begin(unrendered, lambda job: self._submit([job], answers))
        self._submit([job for job in taken.jobs if not self._is_to_be_rendered(job)], answers)
        open_jobs = {job.delivery_key: job for job in taken.jobs}
        until = taken.until
        while open_jobs:
            answered = answers.gather(len(open_jobs))
            self._record(taken.lease, answered)
            for job, _ in answered:
                del open_jobs[job.delivery_key]
            until = self._renew(taken.lease, open_jobs, until)
            self._recall(answers, open_jobs)

    def _is_to_be_rendered(self, job: Job) -> bool:
        needless = job.unwanted or job.suppressed
        return self._templating is not None and "template" in job.document and not needless

    def _submit(self, jobs: Iterable[Job], answers: Answers) -> None:
        """To be sent after what is more urgent: the lanes of one process share its threads."""
        self._pool.put_all((job.priority, partial(self._attempt, job, answers)) for job in jobs)

    def _attempt(self, job: Job, answers: Answers) -> None:
        if job.message_key in answers.gone:
            job = replace(job, unwanted=True)
        answers.put(job, None if self._stopping.is_set() else self._deliverer.attempt(job))

    def _record(self, lease: str, answered: Sequence[tuple[Job, Outcome | None]]) -> None:
        if not answered:
            return
        outcomes = [outcome for _, outcome in answered if outcome is not None]
        given_back = [job.delivery_key for job, outcome in answered if outcome is None]
        counted = self._settle(lease, outcomes, given_back)
        while counted is None:
            # These messages have been sent: to forget it would send them again.
            time.sleep(PERSEVERE)
            counted = self._settle(lease, outcomes, given_back)
        _report(counted, [job for job, _ in answered], len(outcomes))

    def _settle(
        self, lease: str, outcomes: Sequence[Outcome], given_back: Sequence[int]
    ) -> list[Outcome] | None:
        """The outcomes that counted; None if the database is away."""
        try:
            with self._store.write() as connection:
                counted = settle(connection, outcomes, lease=lease, now=now())
                due.release(connection, DELIVERY, given_back, lease=lease, now=now())
        except ServiceUnavailable as error:
            log.warning("outcomes can't be recorded yet", why=error.message)
            return None
        return counted

    def _renew(self, lease: str, open_jobs: dict[int, Job], until: datetime) -> datetime:
        moment = now()
        if not open_jobs or not self._runs_out(until, moment):
            return until
        try:
            with self._store.write() as connection:
                due.renew(connection, DELIVERY, open_jobs, lease=lease, until=moment + self._lease)
        except ServiceUnavailable as error:
            log.warning("the lease can't be renewed now", why=error.message)
            return until
        return moment + self._lease

    def _recall(self, answers: Answers, open_jobs: dict[int, Job]) -> None:
        """Learn which messages are wanted no more: what is not begun of them is not sent."""
        if not open_jobs or time.monotonic() - answers.looked < LOOK_EVERY:
            return
        answers.looked = time.monotonic()
        try:
            with self._store.read() as connection:
                answers.gone = gone(connection, {job.message_key for job in open_jobs.values()})
        except ServiceUnavailable as error:
            log.warning("can't learn what was cancelled", why=error.message)


def _counted_as(one: Outcome, job: Job) -> tuple[Counter, tuple[str, ...]]:
    if one.is_try or one.state is not State.PENDING:
        return metrics.TRIES[one.state], (job.tenant, job.channel, lane_of(job.priority))
    return metrics.PUT_OFF, (job.tenant,)


def _report(counted: Sequence[Outcome], jobs: Sequence[Job], tried: int) -> None:
    """To the log and the metrics, once it is committed."""
    by_key = {job.delivery_key: job for job in jobs}
    metrics.count(_counted_as(one, by_key[one.delivery_key]) for one in counted)
    for one in counted:
        job = by_key[one.delivery_key]
        log.debug("recorded", message=job.message_id, delivery=job.public_id, state=one.state)
    if len(counted) < tried:
        log.warning("outcomes came too late, the lease was gone", count=tried - len(counted))
    elif counted:
        log.info("batch recorded", deliveries=len(counted), message=jobs[0].message_id)
