"""One visit to a hub: what is due is posted, a few side by side, and recorded as answers come."""

import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from threading import Event, Lock
from typing import Any

import structlog
from sqlalchemy import Row

from communication.clock import now
from communication.errors import ServiceUnavailable
from communication.ids import new_id
from communication.store import Store
from worker.hubs.health import ILL_AFTER, streak_of
from worker.hubs.jobs import due_jobs, listener_of
from worker.hubs.lease import release_hubs, renew_hub, take_hub
from worker.hubs.outcomes import Round
from worker.hubs.post import Job, Listener, Tried
from worker.hubs.recorder import Recorder
from worker.hubs.verdict import Verdict

FLUSH_EVERY = 0.05
"""Seconds: a killed worker repeats at most what was answered in this time."""
SLICE = 10.0
"""Seconds after which a hub with more to hear gives its place to others that wait."""

log = structlog.get_logger(part="worker.hubs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What every visit works with."""

    store: Store
    attempt: Callable[[Listener, Job], Tried]
    pool: Executor
    concurrency: int
    batch: int
    lease: timedelta
    recorder: Recorder
    stopping: Event


class Answers:
    """What threads have posted side by side. `over`: all of them have ended.

    Whoever records looks from time to time: to be woken by each answer costs more than posting.
    """

    def __init__(self, threads: int) -> None:
        self.over = Event()
        self._threads = threads
        self._tries: list[Tried] = []
        self._lock = Lock()

    def put(self, tried: Tried) -> None:
        """One more."""
        with self._lock:
            self._tries.append(tried)

    def end(self) -> None:
        """A thread has ended."""
        with self._lock:
            self._threads -= 1
            if not self._threads:
                self.over.set()

    def gathered(self) -> list[Tried]:
        """What came since the last look, in order."""
        with self._lock:
            tries, self._tries = self._tries, []
        return tries


class Visit:
    """Serves one hub for a while. `run` by one thread; posts go side by side on the pool's."""

    def __init__(self, means: Means, hub_key: int) -> None:
        self._means = means
        self._hub_key = hub_key
        self._lease = new_id()
        self._until = now()
        self._ends = time.monotonic() + SLICE
        self._lock = Lock()
        self._streak = 0
        self._bearable = max(ILL_AFTER, means.concurrency)
        self._refused = False

    def run(self, relayed: str) -> None:
        """Post what is due to the hub, if it is leased under `relayed` still."""
        hub = self._take(relayed)
        if hub is None:
            return
        listener = listener_of(hub, now())
        if hub.resting_until:
            self._probe(listener)
        while self._goes_on() and (jobs := self._due(self._means.batch)):
            self._post(listener, jobs)
        with self._means.store.write() as connection:
            release_hubs(connection, [self._hub_key], lease=self._lease, now=now())

    def _take(self, relayed: str) -> Row[Any] | None:
        self._until = now() + self._means.lease
        with self._means.store.write() as connection:
            return take_hub(
                connection, self._hub_key, relayed=relayed, lease=self._lease, until=self._until
            )

    def _probe(self, listener: Listener) -> None:
        """Whether a hub that failed is well again, one callback finds out."""
        bearable, self._bearable = self._bearable, 1
        if jobs := self._due(1):
            self._post(listener, jobs)
        self._bearable = bearable

    def _goes_on(self) -> bool:
        in_time = time.monotonic() < self._ends
        return in_time and not self._refused and not self._means.stopping.is_set()

    def _due(self, most: int) -> list[Job]:
        with self._means.store.read() as connection:
            return due_jobs(connection, self._hub_key, most=most, now=now())

    def _post(self, listener: Listener, jobs: Sequence[Job]) -> None:
        posting = min(self._means.concurrency, len(jobs))
        todo, answers = deque(jobs), Answers(posting)
        for _ in range(posting):
            self._means.pool.submit(self._post_some, listener, todo, answers)
        is_over = False
        while not is_over:
            is_over = answers.over.wait(FLUSH_EVERY)
            self._record(listener.tenant, answers.gathered())
            self._renew()

    def _post_some(self, listener: Listener, todo: deque[Job], answers: "Answers") -> None:
        """Post one after the other until there is nothing more, or a reason to stop."""
        try:
            while todo and self._goes_on():
                with suppress(IndexError):  # another thread took the last
                    tried = self._means.attempt(listener, todo.popleft())
                    self._note(tried)
                    answers.put(tried)
        finally:
            answers.end()

    def _note(self, tried: Tried) -> None:
        """Stop at once where the hub is seen to be ill, or asks for it."""
        result = tried.result
        with self._lock:
            self._streak = streak_of(self._streak, [tried])
            if self._is_ill() or result.retry_after or result.verdict is Verdict.GONE:
                self._refused = True

    def _is_ill(self) -> bool:
        return self._streak >= self._bearable

    def _record(self, tenant: str, tries: Sequence[Tried]) -> None:
        if tries:
            recorded = self._means.recorder.record(
                Round(
                    hub_key=self._hub_key,
                    tenant=tenant,
                    lease=self._lease,
                    tries=tries,
                    ill=self._is_ill(),
                )
            )
            self._refused |= not recorded.goes_on

    def _renew(self) -> None:
        moment = now()
        if self._until - moment > self._means.lease * 2 / 3:
            return
        try:
            with self._means.store.write() as connection:
                until = moment + self._means.lease
                renew_hub(connection, self._hub_key, lease=self._lease, until=until)
        except ServiceUnavailable as error:
            log.warning("the lease can't be renewed now", why=error.message)
        else:
            self._until = until
