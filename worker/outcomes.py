"""What became of deliveries, written down in one transaction per batch.

Locks are taken in the order of communication.messages.endings and communication.receipts.recording.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, select

from communication.bulk import among_named, insert_rows, update_rows
from communication.messages import endings
from communication.model import ATTEMPT, DELIVERY, State, Status
from communication.receipts.parts import store_parts
from communication.receipts.recording import apply_early, hold_submits


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Of one try. `state` PENDING with a `due_at`: it is tried again then.

    SENT with a `due_at`: a receipt is waited for until then.
    """

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
    is_try: bool = True
    """False: no provider was asked, and it is put off."""


def settle(
    connection: Connection, outcomes: Sequence[Outcome], *, lease: str, now: datetime
) -> list[Outcome]:
    """Record outcomes, attempts, counts and events; returns those that counted.

    Deliveries that are no longer leased under `lease` are left alone. What was to be tried
    again is cancelled instead when its message has been cancelled or deleted meanwhile.
    """
    if not outcomes:
        return []
    if any(one.state is State.SENT for one in outcomes):
        hold_submits(connection)
    messages = endings.lock_messages(connection, {one.message_key for one in outcomes})
    held = _lock_deliveries(connection, [one.delivery_key for one in outcomes], lease)
    counted = [
        _final(one, messages[one.message_key]) for one in outcomes if one.delivery_key in held
    ]
    if not counted:
        return []
    update_rows(connection, DELIVERY, [_delivery_row(one) for one in counted])
    insert_rows(connection, ATTEMPT, [_attempt_row(one) for one in counted if one.logged])
    endings.count(connection, counted, messages, now)
    return _with_receipts(connection, counted, now)


def _with_receipts(connection: Connection, outcomes: list[Outcome], now: datetime) -> list[Outcome]:
    """The outcomes; those whose receipt had come before them are over already."""
    sent = [(one.provider, one.reference or "") for one in outcomes if one.state is State.SENT]
    if not sent:
        return outcomes
    names = store_parts(connection, sent, now)
    ended = {one.delivery_key: one.state for one in apply_early(connection, names).ended}
    return [replace(one, state=ended.get(one.delivery_key, one.state)) for one in outcomes]


def _lock_deliveries(connection: Connection, keys: list[int], lease: str) -> set[int]:
    given = {"keys": keys, "held": lease}
    return set(connection.execute(_holding(connection.dialect.name), given).scalars())


@lru_cache
def _holding(dialect: str) -> Select[Any]:
    return (
        select(DELIVERY.c.key)
        .where(among_named(dialect, DELIVERY.c.key), DELIVERY.c.lease == bindparam("held"))
        .with_for_update()
    )


def _final(outcome: Outcome, message: Row[Any]) -> Outcome:
    gone = message.deleted_at is not None or message.status == Status.CANCELLED
    if outcome.state is State.PENDING and gone:
        return replace(outcome, state=State.CANCELLED, due_at=None)
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
        "provider": outcome.provider if outcome.state is State.SENT else None,
        "template_version": outcome.template_version,
        "segments": outcome.segments,
        "ended_at": None if outcome.due_at else outcome.at,
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
