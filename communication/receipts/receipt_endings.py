"""What receipts, or waiting for them in vain, do to deliveries."""

from collections import Counter as Tally
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, literal_column, select

from communication import metrics
from communication.bulk import among, update_rows
from communication.lanes import lane_of
from communication.messages import endings
from communication.model import DELIVERY, State
from communication.receipts.contradictions import contradict
from communication.receipts.receipt import Receipt

NO_RECEIPT = "no receipt"

_LOCKED = tuple(
    DELIVERY.c[name]
    for name in (
        "key",
        "message_key",
        "state",
        "channel",
        "priority",
        "attempts",
        "created_at",
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A delivery that is over now."""

    delivery_key: int
    message_key: int
    tenant: str
    channel: str
    priority: int
    state: State
    reason: str | None = None
    at: datetime
    ended_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What receipts did."""

    ended: Sequence[Ended] = field(default_factory=tuple)
    duplicates: Sequence[str] = ()
    """Of each receipt that said nothing new, whose it is."""
    contradicting: Sequence[str] = ()

    def report(self) -> None:
        """To the metrics, once it is committed."""
        metrics.count(
            (metrics.TRIES[one.state], (one.tenant, one.channel, lane_of(one.priority)))
            for one in self.ended
        )
        count_receipts("applied", [one.tenant for one in self.ended])
        count_receipts("duplicate", self.duplicates)
        count_receipts("contradicting", self.contradicting)


def count_receipts(outcome: str, tenants: Iterable[str]) -> None:
    """To the metrics: one for each of those whose they are."""
    metrics.count((metrics.RECEIPTS, (tenant, outcome)) for tenant in tenants)


def count_strays(outcome: str, number: int) -> None:
    """Receipts of which it is not known whose they are, to the metrics."""
    if number:
        metrics.RECEIPTS.labels("", outcome).inc(number)


def apply(
    connection: Connection, known: Sequence[tuple[Row[Any], Receipt]], moment: datetime
) -> Applied:
    """End deliveries by the receipts that come with them, in order: the first final one counts.

    A later one that says something else is a contradiction: recorded and told, no more.
    """
    if not known:
        return Applied()
    messages = endings.lock_messages(connection, {row.message_key for row, _ in known})
    locked = _lock(connection, {row.key for row, _ in known})
    ended: list[Ended] = []
    later: list[tuple[Row[Any], State, Receipt]] = []
    for key, receipts in _by_delivery(known).items():
        row, rest = locked[key], receipts
        state = State(row.state)
        if state is State.SENT:
            tenant = messages[row.message_key].tenant
            ended.append(_by_receipt(row, receipts[0], tenant, moment))
            state, rest = ended[-1].state, receipts[1:]
        later += [(row, state, one) for one in rest]
    _save(connection, ended, messages, moment)
    differing = [(row, one) for row, state, one in later if one.end is not state]
    new = contradict(connection, differing, messages, moment)
    news = Tally(messages[row.message_key].tenant for row in new)
    repeated = Tally(messages[row.message_key].tenant for row, _, _ in later) - news
    return Applied(ended=ended, duplicates=[*repeated.elements()], contradicting=[*news.elements()])


def end_overdue(connection: Connection, keys: Mapping[int, int], moment: datetime) -> Applied:
    """End what still waits for its receipt, delivery key to message key, as delivered."""
    messages = endings.lock_messages(connection, set(keys.values()))
    ended = [
        _ended(
            row,
            State.DELIVERED,
            tenant=messages[row.message_key].tenant,
            reason=NO_RECEIPT,
            moment=moment,
            ended_at=moment,
        )
        for row in _lock(connection, set(keys)).values()
        if row.state == State.SENT
    ]
    _save(connection, ended, messages, moment)
    return Applied(ended=ended)


def overdue(connection: Connection, moment: datetime, limit: int) -> dict[int, int]:
    """Deliveries whose receipt is waited for no longer, with their messages; nothing is locked."""
    rows = connection.execute(
        select(DELIVERY.c.key, DELIVERY.c.message_key)
        # Written out, for the partial index.
        .where(DELIVERY.c.state == literal_column("'sent'"), DELIVERY.c.due_at <= moment)
        .order_by(DELIVERY.c.due_at)
        .limit(limit)
    )
    return {row.key: row.message_key for row in rows}


def _by_delivery(known: Sequence[tuple[Row[Any], Receipt]]) -> Mapping[int, list[Receipt]]:
    receipts: dict[int, list[Receipt]] = defaultdict(list)
    for row, receipt in known:
        receipts[row.key].append(receipt)
    return receipts


def _lock(connection: Connection, keys: set[int]) -> dict[int, Row[Any]]:
    rows = connection.execute(
        select(*_LOCKED)
        .where(among(connection, DELIVERY.c.key, keys))
        .order_by(DELIVERY.c.key)
        .with_for_update()
    )
    return {row.key: row for row in rows}


def _by_receipt(row: Row[Any], receipt: Receipt, tenant: str, moment: datetime) -> Ended:
    state = receipt.end or State.SENT
    reason = None if state is State.DELIVERED else receipt.text
    # Providers' clocks and zones are not to be trusted far.
    plausible = receipt.at is not None and row.created_at <= receipt.at <= moment
    ended_at = receipt.at if plausible and receipt.at else moment
    return _ended(row, state, tenant=tenant, reason=reason, moment=moment, ended_at=ended_at)


def _ended(
    row: Row[Any],
    state: State,
    *,
    tenant: str,
    reason: str | None,
    moment: datetime,
    ended_at: datetime,
) -> Ended:
    return Ended(
        delivery_key=row.key,
        message_key=row.message_key,
        tenant=tenant,
        channel=row.channel,
        priority=row.priority,
        state=state,
        reason=reason,
        at=moment,
        ended_at=ended_at,
    )


def _save(
    connection: Connection,
    ended: Sequence[Ended],
    messages: Mapping[int, Row[Any]],
    moment: datetime,
) -> None:
    update_rows(
        connection,
        DELIVERY,
        [
            {
                "key": one.delivery_key,
                "state": one.state,
                "due_at": None,
                "reason": one.reason,
                "ended_at": one.ended_at,
            }
            for one in ended
        ],
    )
    endings.count(connection, ended, messages, moment)
