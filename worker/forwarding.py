"""Own faults, forwarded to another Event Collector (seed 003: it is tried again on 502 and 503)."""

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.parse import urlsplit

import structlog

from communication import metrics
from communication.clock import now
from communication.encoding import to_json
from communication.errors import HttpError
from communication.events import forwarding
from communication.events.forwarding import Forwarded, Forwarding
from communication.http.client import Answer, HttpClient
from communication.http.retry_after import retry_after
from communication.ids import new_id
from communication.model import State
from communication.settings import Settings
from communication.store import Store
from worker.broker import Queues
from worker.hubs.schedule import Schedule
from worker.stepping import Stepping

MOST = 40
"""Faults in one step."""
CONCURRENCY = 8
TIMEOUT = 10.0
"""Seconds for the collector to answer."""
_LEASE = timedelta(seconds=TIMEOUT * (MOST / CONCURRENCY + 1))
_PATH = "/api/v1/events"
_MAY_WORK_LATER = (408, 429, 502, 503, 504)
_SUCCESS = range(200, 300)

log = structlog.get_logger(part="worker.forwarding")


class Forwarder(Stepping):
    """Posts own faults to the collector that the settings name; any number of them may run.

    What can't be forwarded is logged and counted, never reported.
    """

    name = "forwarder"

    def __init__(self, store: Store, settings: Settings, queues: Queues) -> None:
        super().__init__(queues, rest=settings.poll)
        self._store = store
        self._url = collector_url(settings.event_collector_url)
        self._schedule = Schedule(waits=settings.callback_waits, cap=settings.retry_cap)
        self._jitter = random.random
        self._client = HttpClient(None, timeout=TIMEOUT, connections_per_host=CONCURRENCY)

    def step(self) -> bool:
        """Forward what is due; whether there was anything."""
        with self._store.read() as connection:
            if not forwarding.any_waiting(connection, now()):
                return False
        lease, moment = new_id(), now()
        with self._store.write() as connection:
            adopted = forwarding.adopt(connection, limit=MOST, now=moment)
            taken = forwarding.take(
                connection, limit=MOST, lease=lease, now=moment, until=moment + _LEASE
            )
        if taken:
            with ThreadPoolExecutor(CONCURRENCY, thread_name_prefix="forward") as pool:
                tried = list(pool.map(self._try, taken))
            with self._store.write() as connection:
                forwarding.settle(connection, tried, lease=lease, now=now())
        return bool(adopted or taken)

    def run(self) -> None:
        """Forward until stopped."""
        try:
            super().run()
        finally:
            self.close()

    def close(self) -> None:
        """Close what is kept open."""
        self._client.close()

    def _try(self, one: Forwarding) -> Forwarded:
        try:
            answer = self._post(one)
        except HttpError as error:
            return self._failed(one, status=None, reason=error.reason, asked=0.0)
        if answer.status in _SUCCESS:
            metrics.FORWARDED.labels(one.tenant, "forwarded").inc()
            return _ended(one, State.DELIVERED, answer.status, None)
        reason = f"the collector answered {answer.status}"
        if answer.status not in _MAY_WORK_LATER:
            return _given_up(one, answer.status, reason)
        asked = retry_after(answer.headers, now=now())
        return self._failed(one, status=answer.status, reason=reason, asked=asked or 0.0)

    def _post(self, one: Forwarding) -> Answer:
        body = {name: value for name, value in one.body.items() if name != "id"}
        headers = {
            "Content-Type": "application/json",
            "X-TWC-Tenant": one.tenant,
            # A try whose answer was lost may have been heard.
            "Idempotency-Key": one.id,
        }
        return self._client.request("POST", self._url, headers=headers, content=to_json(body))

    def _failed(
        self, one: Forwarding, *, status: int | None, reason: str, asked: float
    ) -> Forwarded:
        again = self._schedule.next_try(one.attempts + 1, asked, now=now(), jitter=self._jitter())
        if again is None:
            return _given_up(one, status, reason)
        metrics.FORWARDED.labels(one.tenant, "retried").inc()
        return Forwarded(
            key=one.key,
            state=State.PENDING,
            attempts=one.attempts + 1,
            status=status,
            reason=reason,
            due_at=again,
        )


def collector_url(given: str) -> str:
    """Where faults are posted to: a URL without a path is that of a server of seed 003."""
    return given.rstrip("/") + _PATH if urlsplit(given).path in ("", "/") else given


def _given_up(one: Forwarding, status: int | None, reason: str) -> Forwarded:
    metrics.FORWARDED.labels(one.tenant, "failed").inc()
    log.error("a fault can't be forwarded", fault=one.id, attempts=one.attempts + 1, why=reason)
    return _ended(one, State.FAILED, status, reason)


def _ended(one: Forwarding, state: State, status: int | None, reason: str | None) -> Forwarded:
    return Forwarded(
        key=one.key,
        state=state,
        attempts=one.attempts + 1,
        status=status,
        reason=reason,
        due_at=None,
    )
