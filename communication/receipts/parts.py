"""Receipts of messages that went in parts, each of which has a reference of its own.

`delivery.reference` then holds them all, with spaces between. A part's receipt is put in its
place here, and when the parts together tell how the whole ended, a receipt of the whole, under
that reference, stands for theirs: the whole is delivered when every part is, and fails with the
first part that does.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, delete, select

from communication.bulk import among, insert_rows, update_rows
from communication.receipts.part_model import DELIVERY_PART
from communication.receipts.receipt import Receipt, ReceiptState

Name = tuple[str, str]
"""Provider and reference."""

SEPARATOR = " "
LONGEST_WHOLE = 2_000
"""Octets of all references of a message together: an index entry is not endless."""
PARTS_KEPT = timedelta(days=32)
"""Longer than an operator tries to reach a phone."""


def references_of(reference: str) -> list[str]:
    """The parts' references, each once; the only one of a message in one piece."""
    return list(dict.fromkeys(reference.split(SEPARATOR)))


def store_parts(connection: Connection, names: Iterable[Name], moment: datetime) -> list[Name]:
    """Remember the parts of what was stored under these names; the names that receipts will have.

    Needs the lock of submits, as the deliveries themselves do (communication.receipts.recording).
    """
    parts = [
        {
            "provider": provider,
            "reference": reference,
            "whole": whole,
            "number": number,
            "state": None,
            "reason": None,
            "at": None,
            "created_at": moment,
        }
        for provider, whole in names
        for number, reference in enumerate(references_of(whole), start=1)
        if SEPARATOR in whole
    ]
    insert_rows(connection, DELIVERY_PART, parts)
    return [
        (provider, reference) for provider, whole in names for reference in references_of(whole)
    ]


def find_parts(connection: Connection, receipts: Sequence[Receipt]) -> dict[Name, Row[Any]]:
    """The parts that receipts are about, by name: the newest, for references come round again."""
    if not receipts:
        return {}
    rows = connection.execute(
        select(*DELIVERY_PART.c)
        .where(among(connection, DELIVERY_PART.c.reference, {one.reference for one in receipts}))
        .order_by(DELIVERY_PART.c.key)
    )
    return {(row.provider, row.reference): row for row in rows}


def as_wholes(
    connection: Connection, receipts: Sequence[Receipt], known: Mapping[Name, Row[Any]]
) -> list[Receipt]:
    """The receipts, in their order; in place of those of `known` parts what they tell of wholes.

    What tells nothing of its whole yet is kept with its part and left out.
    """
    if not known:
        return list(receipts)
    locked = _lock(connection, {(row.provider, row.whole) for row in known.values()})
    parts = {row.key: _as_receipt(row) for rows in locked.values() for row in rows}
    told: list[Receipt] = []
    changed: dict[int, Receipt] = {}
    for receipt in receipts:
        row = known.get((receipt.provider, receipt.reference))
        if row is None:
            told.append(receipt)
            continue
        if parts[row.key] is None:  # a part's first final state counts
            parts[row.key] = changed[row.key] = receipt
        siblings = {one.number: parts[one.key] for one in locked[row.provider, row.whole]}
        whole = _whole(row.whole, siblings, receipt)
        told += [whole] if whole else []
    _save(connection, changed)
    return told


def forget_parts(connection: Connection, moment: datetime) -> int:
    """Forget parts of which nothing more can come; how many there were."""
    old = delete(DELIVERY_PART).where(DELIVERY_PART.c.created_at < moment - PARTS_KEPT)
    return connection.execute(old).rowcount


def _whole(whole: str, parts: Mapping[int, Receipt | None], last: Receipt) -> Receipt | None:
    """What the parts, by number, tell together; None while that is open."""
    for number, part in sorted(parts.items()):
        if part is not None and part.state is not ReceiptState.DELIVERED:
            reason = f"part {number} of {len(parts)}"
            reason += f": {part.reason}" if part.reason else ""
            return replace(part, reference=whole, reason=reason)
    arrived = [part for part in parts.values() if part is not None]
    if len(arrived) < len(parts):
        return None
    return replace(last, reference=whole, state=ReceiptState.DELIVERED, reason=None)


def _lock(connection: Connection, wholes: set[Name]) -> dict[Name, list[Row[Any]]]:
    """All parts of these messages: the newest of each number."""
    rows = connection.execute(
        select(*DELIVERY_PART.c)
        .where(among(connection, DELIVERY_PART.c.whole, {whole for _, whole in wholes}))
        .order_by(DELIVERY_PART.c.key)
        .with_for_update()
    )
    found: dict[Name, dict[int, Row[Any]]] = defaultdict(dict)
    for row in rows:
        found[row.provider, row.whole][row.number] = row
    return {name: list(parts.values()) for name, parts in found.items()}


def _as_receipt(row: Row[Any]) -> Receipt | None:
    if row.state is None:
        return None
    return Receipt(
        provider=row.provider,
        reference=row.reference,
        state=ReceiptState(row.state),
        reason=row.reason,
        at=row.at,
    )


def _save(connection: Connection, changed: Mapping[int, Receipt]) -> None:
    update_rows(
        connection,
        DELIVERY_PART,
        [
            {"key": key, "state": one.state, "reason": one.reason, "at": one.at}
            for key, one in changed.items()
        ],
    )
