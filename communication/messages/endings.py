"""Deliveries that reached their final state: counted at their messages, and told.

Locks are always taken message before delivery and messages by key, wherever deliveries are
settled, so that those who share messages wait for each other but never in a circle.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Protocol

from sqlalchemy import Connection, Row, Select, select

from communication.bulk import among_named, update_rows
from communication.clock import to_wire
from communication.events.faults import report_deliveries
from communication.events.happening import Happening, Kind, record
from communication.events.order_reason import ending
from communication.model import MESSAGE, State, Status

_COUNTED = ("open_count", "delivered_count", "failed_count", "cancelled_count")
_COUNT_OF = {
    State.DELIVERED: "delivered_count",
    State.FAILED: "failed_count",
    State.CANCELLED: "cancelled_count",
}


class Ending(Protocol):
    """How one delivery stands; it is over if `state` is a final one."""

    @property
    def delivery_key(self) -> int:
        """Of the delivery."""
        ...

    @property
    def message_key(self) -> int:
        """Of its message."""
        ...

    @property
    def state(self) -> State:
        """Where it stands."""
        ...

    @property
    def reason(self) -> str | None:
        """Why it stands so."""
        ...

    @property
    def at(self) -> datetime:
        """Since when."""
        ...


def lock_messages(connection: Connection, keys: Iterable[int]) -> dict[int, Row[Any]]:
    """Messages by key, the caller's until its transaction ends: as `count` wants them."""
    rows = connection.execute(_locking(connection.dialect.name), {"keys": list(keys)}).all()
    return {row.key: row for row in rows}


@lru_cache
def _locking(dialect: str) -> Select[Any]:
    columns = (MESSAGE.c[name] for name in ("key", "tenant", "status", "deleted_at", *_COUNTED))
    return (
        select(*columns)
        .where(among_named(dialect, MESSAGE.c.key))
        .order_by(MESSAGE.c.key)
        .with_for_update(key_share=True)
    )


def count(
    connection: Connection,
    deliveries: Sequence[Ending],
    messages: Mapping[int, Row[Any]],
    now: datetime,
) -> None:
    """Count and tell what of these deliveries is over; their messages are locked and as read.

    Their rows are written already: what failed is reported into the Event Collector.
    """
    ended: dict[int, list[Ending]] = defaultdict(list)
    for one in deliveries:
        if one.state in _COUNT_OF:
            ended[one.message_key].append(one)
    if not ended:
        return
    counts = {key: _counts(messages[key], ones, now) for key, ones in ended.items()}
    update_rows(connection, MESSAGE, [{"key": key, **values} for key, values in counts.items()])
    record(connection, [*_ends(ended, messages), *_changes(counts, messages, now)])
    failed = [one.delivery_key for one in deliveries if one.state is State.FAILED]
    if failed:
        report_deliveries(connection, failed)


def _ends(
    ended: Mapping[int, Sequence[Ending]], messages: Mapping[int, Row[Any]]
) -> Iterator[Happening]:
    for key, ones in ended.items():
        for one in ones:
            yield Happening(
                kind=Kind.ENDED,
                tenant=messages[key].tenant,
                at=one.at,
                message_key=key,
                delivery_key=one.delivery_key,
                changed=ending(one.state, one.reason),
            )


def _changes(
    counts: Mapping[int, Mapping[str, Any]], messages: Mapping[int, Row[Any]], now: datetime
) -> Iterator[Happening]:
    """The ends of messages. A deleted one has been told of for the last time."""
    for key, values in counts.items():
        if values["open_count"] == 0 and messages[key].deleted_at is None:
            yield Happening(
                kind=Kind.CHANGED,
                tenant=messages[key].tenant,
                at=now,
                message_key=key,
                changed={"status": values["status"], "sendTimeComplete": to_wire(now)},
            )


def _counts(message: Row[Any], ended: Sequence[Ending], now: datetime) -> dict[str, Any]:
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
