"""Receipts, recorded: each ends its delivery once, whenever and however often it comes.

A receipt may come before the submit that it tells of is stored. Then it waits in
`early_receipt`, and who stores the submit looks there. So that neither misses the other,
whoever stores a submit holds a shared lock of all submits from before its look until its
commit, and whoever puts a receipt by holds it alone and looks for the delivery once more.
That lock is taken before those of messages and deliveries (communication.messages.endings).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, delete, func, select

from communication.bulk import among, insert_rows
from communication.clock import now
from communication.model import DELIVERY, EARLY_RECEIPT, State
from communication.receipts import receipt_endings
from communication.receipts.parts import (
    LONGEST_WHOLE,
    Name,
    as_wholes,
    find_parts,
    references_of,
)
from communication.receipts.receipt import Receipt, ReceiptState
from communication.receipts.receipt_endings import Applied, count_strays
from communication.recordable import recordable
from communication.store import Store

LONGEST_REFERENCE = 255
"""Octets by which a receipt can find its delivery: an index entry is not endless."""
EARLY_KEPT = timedelta(days=1)
"""For which a receipt waits for its submit: longer than the database may be away."""
MOST_AT_ONCE = 500

_SUBMITS = 0x7469_6469  # the advisory lock's number: any that nobody else uses
_FOUND = (
    DELIVERY.c.key,
    DELIVERY.c.message_key,
    DELIVERY.c.provider,
    DELIVERY.c.reference,
    DELIVERY.c.state,
)


def can_be_awaited(reference: str) -> bool:
    """Whether receipts could find the delivery by this reference, or by each of its parts."""
    each = references_of(reference)
    return len(reference.encode("utf-8", "replace")) <= LONGEST_WHOLE and all(
        0 < len(one.encode("utf-8", "replace")) <= LONGEST_REFERENCE for one in each
    )


def record(store: Store, receipts: Sequence[Receipt]) -> None:
    """Record receipts, in the order in which they came; returns when they are committed.

    Duplicates change nothing, and nor does a receipt of what was never sent.
    ServiceUnavailable if the database is away: the provider should tell them again.
    """
    final = [one for one in receipts if one.end]
    usable = [_clean(one) for one in final if can_be_awaited(one.reference)]
    count_strays("intermediate", len(receipts) - len(final))
    count_strays("unknown", len(final) - len(usable))
    for at in range(0, len(usable), MOST_AT_ONCE):
        unknown = _apply(store, usable[at : at + MOST_AT_ONCE])
        stored_meanwhile = _put_by(store, unknown)
        _apply(store, stored_meanwhile)


def hold_submits(connection: Connection) -> None:
    """To be called before any other lock is taken where submits are stored: see above."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock_shared(_SUBMITS)))


def apply_early(connection: Connection, names: Iterable[tuple[str, str]]) -> Applied:
    """End what was just stored under these (provider, reference) and has its receipt already.

    Needs `hold_submits`; `report` of what it gives is called after the commit.
    """
    early = _take_early(connection, set(names))
    return _end(connection, early, find_parts(connection, early))[0]


def end_unanswered(store: Store) -> int:
    """End as delivered what waited in vain for its receipt, a batch of it; how many there were."""
    with store.read() as connection:
        keys = receipt_endings.overdue(connection, now(), MOST_AT_ONCE)
    if keys:
        with store.write() as connection:
            applied = receipt_endings.end_overdue(connection, keys, now())
        applied.report()
    return len(keys)


def forget_early(connection: Connection, moment: datetime) -> int:
    """Forget receipts that nobody claimed in EARLY_KEPT; how many there were."""
    old = delete(EARLY_RECEIPT).where(EARLY_RECEIPT.c.received_at < moment - EARLY_KEPT)
    return connection.execute(old).rowcount


def _clean(receipt: Receipt) -> Receipt:
    return replace(
        receipt,
        reference=recordable(receipt.reference),
        reason=receipt.reason and recordable(receipt.reason),
    )


def _name(one: Any) -> Name:
    return one.provider, one.reference


def _apply(store: Store, receipts: Sequence[Receipt]) -> list[Receipt]:
    """End what they tell of; returns those whose delivery is not known."""
    if not receipts:
        return []
    with store.write() as connection:
        parts = find_parts(connection, receipts)
        applied, found = _end(connection, receipts, parts)
    applied.report()
    return [one for one in receipts if _name(one) not in found | parts.keys()]


def _end(
    connection: Connection, receipts: Sequence[Receipt], parts: Mapping[Name, Row[Any]]
) -> tuple[Applied, set[Name]]:
    """End what they tell of; what that did, and the names of the deliveries that are known."""
    wholes = as_wholes(connection, receipts, parts)
    found = _find(connection, wholes)
    known = [(found[_name(one)], one) for one in wholes if _name(one) in found]
    return receipt_endings.apply(connection, known, now()), set(found)


def _put_by(store: Store, receipts: Sequence[Receipt]) -> list[Receipt]:
    """Keep what has no delivery; returns those whose delivery was stored meanwhile."""
    if not receipts:
        return []
    with store.write() as connection:
        if store.is_postgresql:
            connection.execute(select(func.pg_advisory_xact_lock(_SUBMITS)))
        found = _find(connection, receipts).keys() | find_parts(connection, receipts).keys()
        early = [one for one in receipts if _name(one) not in found]
        moment = now()
        insert_rows(connection, EARLY_RECEIPT, [_early_row(one, moment) for one in early])
    count_strays("early", len(early))
    return [one for one in receipts if _name(one) in found]


def _early_row(receipt: Receipt, moment: datetime) -> dict[str, Any]:
    return {
        "provider": receipt.provider,
        "reference": receipt.reference,
        "state": receipt.state,
        "reason": receipt.reason,
        "at": receipt.at,
        "received_at": moment,
    }


def _take_early(connection: Connection, names: set[tuple[str, str]]) -> list[Receipt]:
    columns = EARLY_RECEIPT.c
    wanted = among(connection, columns.reference, {reference for _, reference in names})
    rows = connection.execute(select(*columns).where(wanted).order_by(columns.key)).all()
    taken = [row for row in rows if _name(row) in names]
    if taken:
        keys = [row.key for row in taken]
        connection.execute(delete(EARLY_RECEIPT).where(among(connection, columns.key, keys)))
    return [
        Receipt(
            provider=row.provider,
            reference=row.reference,
            state=ReceiptState(row.state),
            reason=row.reason,
            at=row.at,
        )
        for row in taken
    ]


def _find(connection: Connection, receipts: Sequence[Receipt]) -> dict[tuple[str, str], Row[Any]]:
    """Their deliveries by name: the newest that waits, for references come round again."""
    if not receipts:
        return {}
    references = among(connection, DELIVERY.c.reference, {one.reference for one in receipts})
    rows = connection.execute(
        select(*_FOUND).where(references, DELIVERY.c.provider.is_not(None))
    ).all()
    ordered: list[Any] = sorted(rows, key=lambda row: (row.state == State.SENT, row.key))
    return {_name(row): row for row in ordered}
