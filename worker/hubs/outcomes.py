"""What came of callbacks, recorded in one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import Connection, Row, delete, select, update

from communication.bulk import among, insert_rows, update_rows
from communication.events.faults import report
from communication.hubs.callbacks import drop_all, open_of
from communication.hubs.listener_model import CALLBACK, CALLBACK_ATTEMPT, HUB
from communication.hubs.registration import HubState
from communication.model import State
from communication.recordable import recordable
from worker.hubs.health import Health, Patience
from worker.hubs.lease import lock_hubs
from worker.hubs.post import Tried
from worker.hubs.reports import disabled, given_up
from worker.hubs.verdict import Verdict

_DISABLED = "the hub was disabled"

log = structlog.get_logger(part="worker.hubs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """Tries at one hub in the order in which they ended, under the lease of who made them.

    `ill`: too many failed in a row.
    """

    hub_key: int
    tenant: str
    lease: str
    tries: Sequence[Tried]
    ill: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """The tries that counted, and whether the hub is to be told more now."""

    counted: Sequence[Tried]
    goes_on: bool


def record(
    connection: Connection, rounds: Sequence[Round], patience: Patience, now: datetime
) -> list[Recorded]:
    """Record rounds, each of another hub, and what they say of their hubs.

    Of tries whose lease is gone only successes count: what was acknowledged is never sent
    again.
    """
    hubs = lock_hubs(connection, {one.hub_key: one.lease for one in rounds})
    is_open = _lock_open(connection, [one.job.key for each in rounds for one in each.tries])
    counted = [_counted(one, is_open, is_held=one.hub_key in hubs) for one in rounds]
    rows = [[_row(one, patience, now) for one in own] for own in counted]
    _store(connection, [row for each in rows for row in each], counted)
    faults = [
        given_up(hubs[one.hub_key], tried)
        for one, own, of_own in zip(rounds, counted, rows, strict=True)
        for tried, row in zip(own, of_own, strict=True)
        if row["state"] is State.FAILED and tried.result.verdict is not Verdict.GONE
    ]
    report(connection, [fault for fault in faults if fault])
    return [
        Recorded(
            counted=own,
            goes_on=one.hub_key in hubs
            and _follow(connection, hubs[one.hub_key], own, patience, ill=one.ill, now=now),
        )
        for one, own in zip(rounds, counted, strict=True)
    ]


def _store(
    connection: Connection, rows: Sequence[Mapping[str, Any]], counted: Sequence[Sequence[Tried]]
) -> None:
    update_rows(connection, CALLBACK, rows)
    attempts = [_attempt_row(one) for own in counted for one in own if not _succeeded(one)]
    insert_rows(connection, CALLBACK_ATTEMPT, attempts)


def _counted(one: Round, is_open: set[tuple[int, int]], *, is_held: bool) -> list[Tried]:
    return [
        tried
        for tried in one.tries
        if (tried.job.key, tried.job.position) in is_open and (is_held or _succeeded(tried))
    ]


def _lock_open(connection: Connection, keys: Sequence[int]) -> set[tuple[int, int]]:
    """Key and event: SQLite gives the key of a deleted row to another."""
    rows = connection.execute(
        select(CALLBACK.c.key, CALLBACK.c.event_position)
        .where(among(connection, CALLBACK.c.key, keys), CALLBACK.c.due_at.is_not(None))
        .order_by(CALLBACK.c.key)
        .with_for_update()
    )
    return {(row.key, row.event_position) for row in rows}


def _succeeded(one: Tried) -> bool:
    return one.result.verdict is Verdict.DELIVERED


def _row(one: Tried, patience: Patience, now: datetime) -> dict[str, Any]:
    again = patience.next_try(one, now=now)
    ended = State.DELIVERED if _succeeded(one) else State.FAILED
    return {
        "key": one.job.key,
        "state": State.PENDING if again else ended,
        "due_at": again,
        "attempts": one.job.attempts + 1,
        "status": one.result.status,
        "reason": _reason(one),
        "ended_at": None if again else one.at,
    }


def _attempt_row(one: Tried) -> dict[str, Any]:
    return {
        "callback_key": one.job.key,
        "number": one.job.attempts + 1,
        "outcome": one.result.verdict,
        "status": one.result.status,
        "reason": _reason(one),
        "took_ms": one.took_ms,
        "at": one.at,
    }


def _reason(one: Tried) -> str | None:
    return None if one.result.reason is None else recordable(one.result.reason)


def _follow(
    connection: Connection,
    hub: Row[Any],
    tries: Sequence[Tried],
    patience: Patience,
    *,
    ill: bool,
    now: datetime,
) -> bool:
    """Change the hub as its health has changed; whether it is to be told more now."""
    if any(one.result.verdict is Verdict.GONE for one in tries):
        _remove(connection, hub)
        return False
    before = Health(failing_since=hub.failing_since, resting_until=hub.resting_until)
    after = patience.judge(before, tries, ill=ill, now=now)
    if after == before:
        return not ill
    state = HubState.DISABLED if after.disabled else HubState.ACTIVE
    connection.execute(
        update(HUB)
        .where(HUB.c.key == hub.key)
        .values(state=state, failing_since=after.failing_since, resting_until=after.resting_until)
    )
    if after.disabled:
        _give_up(connection, hub, now)
        report(connection, [disabled(hub, after.failing_since or now, now)])
    if before.resting_until and not after.resting_until:
        _wake(connection, hub, now)
    return not (ill or after.disabled or after.resting_until)


def _remove(connection: Connection, hub: Row[Any]) -> None:
    connection.execute(delete(HUB).where(HUB.c.key == hub.key))
    drop_all(connection, hub.key)
    log.warning("a listener answered 410: its hub is removed", hub=hub.id)


def _give_up(connection: Connection, hub: Row[Any], now: datetime) -> None:
    connection.execute(
        update(CALLBACK)
        .where(*open_of(hub.key))
        .values(state=State.FAILED, due_at=None, ended_at=now, reason=_DISABLED)
    )
    log.warning("a hub is disabled: nothing succeeded for long", hub=hub.id)


def _wake(connection: Connection, hub: Row[Any], now: datetime) -> None:
    """It is well again: what failed meanwhile goes first, as it would have gone."""
    connection.execute(
        update(CALLBACK)
        .where(*open_of(hub.key), CALLBACK.c.due_at > now)
        .values(due_at=CALLBACK.c.created_at)
    )
    log.info("a hub answers again", hub=hub.id)
