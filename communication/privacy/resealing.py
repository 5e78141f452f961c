"""Sealing anew what was sealed with an older key, or not at all."""

from collections.abc import Sequence

from sqlalchemy import Column, Table, select, update

from communication.devices.device_model import DEVICE
from communication.hubs.listener_model import HUB
from communication.model import IDEMPOTENCY
from communication.privacy.sealing import SealedJson, SealedText
from communication.store import Store

AT_ONCE = 500
SEALED_TABLES = (HUB, DEVICE, IDEMPOTENCY)


def reseal(store: Store) -> int:
    """Read and write every sealed column; how many rows there were."""
    return sum(_reseal_table(store, table) for table in SEALED_TABLES)


def sealed_columns(table: Table) -> Sequence[Column[object]]:
    """Those whose values are sealed."""
    return [one for one in table.c if isinstance(one.type, SealedText | SealedJson)]


def _reseal_table(store: Store, table: Table) -> int:
    columns = sealed_columns(table)
    last, count = 0, 0
    while True:
        with store.write() as connection:
            rows = connection.execute(
                select(table.c.key, *columns)
                .where(table.c.key > last)
                .order_by(table.c.key)
                .limit(AT_ONCE)
                .with_for_update()
            ).all()
            for row in rows:
                values = {one.name: getattr(row, one.name) for one in columns}
                connection.execute(update(table).where(table.c.key == row.key).values(values))
        if not rows:
            return count
        last, count = rows[-1].key, count + len(rows)
