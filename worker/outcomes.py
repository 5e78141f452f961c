"""What became of deliveries, written down in one transaction per batch.

Locks are always taken message before delivery and messages by key, here and in the api,
so that batches which share messages wait for each other but never in a circle.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from communication.bulk import among, insert_rows, update_rows
from communication.clock import to_wire
from communication.events import Happening, Kind, record
from communication.model import ATTEMPT, DELIVERY, MESSAGE, State, Status

_COUNTED = ("open_count", "delivered_count", "failed_count", "cancelled_count")
_COUNT_OF = {
    State.DELIVERED: "delivered_count",
    State.FAILED: "failed_count",
    State.CANCELLED: "cancelled_count",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Of one try. `state` PENDING with a `due_at`: it is tried again then."""

    delivery_key: int
    message_key: int
    attempts: int
    state: State
    at: datetime
    provider: str = ""
    reason: str | None = None
    detail: str | None = None
    """For the contact log alone, where there is more to say: a traceback."""
    reference: str | None = None
    template_version: str | None = None
    segments: int | None = None
    """How many SMS it was billed as."""
    due_at: datetime | None = None
    took_ms: int = 0
    logged: bool = True
    """Whether the contact log (seed 004: logFlag) has it."""


def settle(
    connection: Connection, outcomes: Sequence[Outcome], *, lease: str, now: datetime
) -> list[Outcome]:
    """Record outcomes, attempts, counts and events; returns those that counted.

    Deliveries that are no longer leased under `lease` are left alone. What was to be tried
    again is cancelled instead when its message has been cancelled or deleted meanwhile.
    """
    if not outcomes:
        return []
    messages = _lock_messages(connection, {one.message_key for one in outcomes})
    held = _lock_deliveries(connection, [one.delivery_key for one in outcomes], lease)
    counted = [
        _final(one, messages[one.message_key]) for one in outcomes if one.delivery_key in held
    ]
    if not counted:
        return []
    update_rows(connection, DELIVERY, [_delivery_row(one) for one in counted])
    insert_rows(connection, ATTEMPT, [_attempt_row(one) for one in counted if one.logged])
    _count(connection, counted, messages, now)
    return counted


def _lock_messages(connection: Connection, keys: set[int]) -> dict[int, Row[Any]]:
    columns = (MESSAGE.c[name] for name in ("key", "tenant", "status", "deleted_at", *_COUNTED))
    rows = connection.execute(
        select(*columns)
        .where(among(connection, MESSAGE.c.key, keys))
        .order_by(MESSAGE.c.key)
        .with_for_update(key_share=True)
    ).all()
    return {row.key: row for row in rows}


def _lock_deliveries(connection: Connection, keys: list[int], lease: str) -> set[int]:
    rows = connection.execute(
        select(DELIVERY.c.key)
        .where(among(connection, DELIVERY.c.key, keys), DELIVERY.c.lease == lease)
        .with_for_update()
    )
    return set(rows.scalars())


def _final(outcome: Outcome, message: Row[Any]) -> Outcome:
    gone = message.deleted_at is not None or message.status == Status.CANCELLED
    if outcome.state is State.PENDING and gone:
        values = {name: getattr(outcome, name) for name in outcome.__dataclass_fields__}
        return Outcome(**{**values, "state": State.CANCELLED, "due_at": None})
    return outcome


def _delivery_row(outcome: Outcome) -> dict[str, Any]:
    return {
        "key": outcome.delivery_key,
        "lease": None,
        "state": outcome.state,
        "due_at": outcome.due_at,
        "attempts": outcome.attempts,
        "reason": outcome.reason,
        "reference": outcome.reference,
        "template_version": outcome.template_version,
        "segments": outcome.segments,
        "ended_at": None if outcome.state is State.PENDING else outcome.at,
    }


def _attempt_row(outcome: Outcome) -> dict[str, Any]:
    return {
        "delivery_key": outcome.delivery_key,
        "number": outcome.attempts,
        "provider": outcome.provider,
        "outcome": "retry" if outcome.state is State.PENDING else outcome.state,
        "reason": outcome.detail or outcome.reason,
        "took_ms": outcome.took_ms,
        "at": outcome.at,
    }


def _count(
    connection: Connection,
    outcomes: Sequence[Outcome],
    messages: Mapping[int, Row[Any]],
    now: datetime,
) -> None:
    ended: dict[int, list[Outcome]] = defaultdict(list)
    for one in outcomes:
        if one.state in _COUNT_OF:
            ended[one.message_key].append(one)
    if not ended:
        return
    counts = {key: _counts(messages[key], ones, now) for key, ones in ended.items()}
    update_rows(connection, MESSAGE, [{"key": key, **values} for key, values in counts.items()])
    happenings = [
        Happening(
            kind=Kind.ENDED,
            tenant=messages[one.message_key].tenant,
            at=one.at,
            message_key=one.message_key,
            delivery_key=one.delivery_key,
        )
        for ones in ended.values()
        for one in ones
    ]
    happenings += [
        Happening(
            kind=Kind.CHANGED,
            tenant=messages[key].tenant,
            at=now,
            message_key=key,
            changed={"status": values["status"], "sendTimeComplete": to_wire(now)},
        )
        for key, values in counts.items()
        if values["open_count"] == 0 and messages[key].deleted_at is None
    ]
    record(connection, happenings)


def _counts(message: Row[Any], ended: Sequence[Outcome], now: datetime) -> dict[str, Any]:
    counts = {name: getattr(message, name) for name in _COUNTED}
    for one in ended:
        counts["open_count"] -= 1
        counts[_COUNT_OF[one.state]] += 1
    over = counts["open_count"] == 0
    return {
        **counts,
        "status": _status(message.status, counts) if over else message.status,
        "send_time_complete": now if over else None,
        "updated_at": now,
    }


def _status(status: str, counts: Mapping[str, int]) -> str:
    """Completed: at least one receiver was reached; Failed: none was; Cancelled stays."""
    if status == Status.CANCELLED:
        return status
    return Status.COMPLETED if counts["delivered_count"] else Status.FAILED
