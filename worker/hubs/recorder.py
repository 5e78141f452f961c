"""What came of callbacks is recorded for all hubs of a process together."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock

import structlog

from communication import metrics
from communication.clock import now
from communication.errors import ServiceUnavailable
from communication.store import Store
from worker.hubs.health import Patience
from worker.hubs.outcomes import Recorded, Round, record

PERSEVERE = 0.5
"""Seconds between tries to record while the database is away."""

log = structlog.get_logger(part="worker.hubs")


@dataclass(slots=True, kw_only=True, eq=False)
class _Entry:
    round: Round
    recorded: Recorded | None = None


class Recorder:
    """Records rounds; shared by threads.

    One transaction at a time, which has all that came while the one before was under way:
    fifty hubs are recorded for hardly more than one.
    """

    def __init__(self, store: Store, patience: Patience) -> None:
        self._store = store
        self._patience = patience
        self._turn = Lock()
        self._lock = Lock()
        self._waiting: list[_Entry] = []

    def record(self, one: Round) -> Recorded:
        """Returns when it is committed, however long the database is away.

        These have been posted: to forget it would post them again.
        """
        entry = _Entry(round=one)
        with self._lock:
            self._waiting.append(entry)
        with self._turn:
            while entry.recorded is None:
                self._record_patiently(entry)
        _report(one, entry.recorded)
        return entry.recorded

    def _record_patiently(self, own: _Entry) -> None:
        try:
            self._record_waiting(own)
        except ServiceUnavailable as error:
            log.warning("outcomes can't be recorded yet", why=error.message)
            time.sleep(PERSEVERE)

    def _record_waiting(self, own: _Entry) -> None:
        """All that wait; if that stumbles the own round alone, so that no other is to blame."""
        with self._lock:
            entries = list(self._waiting)
        try:
            self._commit(entries)
        except ServiceUnavailable:
            raise
        except Exception:
            # Whatever one round holds that the database will not take, the others shall not wait.
            log.exception("recording stumbled", rounds=len(entries))
            self._record_alone(own)

    def _record_alone(self, own: _Entry) -> None:
        try:
            self._commit([own])
        except ServiceUnavailable:
            raise
        except Exception:
            # It would fail again each time, and with it all that wait beside it.
            with self._lock:
                self._waiting.remove(own)
            raise

    def _commit(self, entries: Sequence[_Entry]) -> None:
        with self._store.write() as connection:
            results = record(connection, [one.round for one in entries], self._patience, now())
        for entry, result in zip(entries, results, strict=True):
            entry.recorded = result
        with self._lock:
            self._waiting = [one for one in self._waiting if one.recorded is None]


def _report(one: Round, recorded: Recorded) -> None:
    """To the log and the metrics, once it is committed."""
    metrics.count(
        (metrics.CALLBACKS, (one.tenant, tried.result.verdict)) for tried in recorded.counted
    )
    if len(recorded.counted) < len(one.tries):
        log.warning("outcomes came too late, the lease was gone", hub=one.hub_key)
