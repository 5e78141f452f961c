"""What is heard of a delivery after its end: it changes nothing, but it is told."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from communication.bulk import among, insert_rows
from communication.events.happening import Happening, Kind, record
from communication.model import ATTEMPT, DOCUMENT
from communication.receipts.receipt import Receipt


def contradict(
    connection: Connection,
    differing: Sequence[tuple[Row[Any], Receipt]],
    messages: Mapping[int, Row[Any]],
    moment: datetime,
) -> list[Row[Any]]:
    """Record receipts that differ from how their deliveries ended; the rows of the news.

    As an attempt, where the message's contact log is kept, and as an event. The deliveries
    are rows with `key`, `message_key` and `attempts`, locked as their messages are.
    """
    if not differing:
        return []
    known = _known(connection, {row.key for row, _ in differing})
    by_name = {(row.key, str(receipt.state)): (row, receipt) for row, receipt in differing}
    news = [pair for name, pair in by_name.items() if name not in known]
    silent = _silent(connection, {row.message_key for row, _ in news})
    logged = [pair for pair in news if pair[0].message_key not in silent]
    insert_rows(connection, ATTEMPT, [_attempt_row(row, one, moment) for row, one in logged])
    record(connection, [_happening(row, one, messages, moment) for row, one in news])
    return [row for row, _ in news]


def _known(connection: Connection, keys: set[int]) -> set[tuple[int, str]]:
    rows = connection.execute(
        select(ATTEMPT.c.delivery_key, ATTEMPT.c.outcome).where(
            among(connection, ATTEMPT.c.delivery_key, keys)
        )
    )
    return {(row.delivery_key, row.outcome) for row in rows}


def _silent(connection: Connection, message_keys: set[int]) -> set[int]:
    """Those whose logFlag is false."""
    if not message_keys:
        return set()
    rows = connection.execute(
        select(DOCUMENT.c.message_key, DOCUMENT.c.document["logFlag"].label("logged")).where(
            among(connection, DOCUMENT.c.message_key, message_keys)
        )
    )
    return {row.message_key for row in rows if row.logged is not None and not row.logged}


def _attempt_row(delivery: Row[Any], receipt: Receipt, moment: datetime) -> dict[str, Any]:
    return {
        "delivery_key": delivery.key,
        "number": delivery.attempts,
        "provider": receipt.provider,
        "outcome": receipt.state,
        "reason": receipt.reason,
        "took_ms": 0,
        "at": moment,
    }


def _happening(
    delivery: Row[Any], receipt: Receipt, messages: Mapping[int, Row[Any]], moment: datetime
) -> Happening:
    return Happening(
        kind=Kind.CONTRADICTED,
        tenant=messages[delivery.message_key].tenant,
        at=moment,
        message_key=delivery.message_key,
        delivery_key=delivery.key,
        changed={"state": receipt.state, "reason": receipt.reason},
    )
