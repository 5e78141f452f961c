"""Who serves a hub: one worker at a time (docs/decisions/0007).

A hub whose callbacks are due is leased as a whole. So the number of requests in flight to it
is bounded whatever number of workers there is, its callbacks go in their order, and a row
of `callback` is written when it is made and when it has been tried, and not in between.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Text,
    bindparam,
    exists,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy import cast as sql_cast

from communication.bulk import among
from communication.hubs.callbacks import PRIORITY
from communication.hubs.listener_model import CALLBACK, HUB
from communication.hubs.registration import HubState


def _over(moment: ColumnElement[datetime | None]) -> ColumnElement[bool]:
    return or_(moment.is_(None), moment <= bindparam("now"))


_IS_FAILING = HUB.c.failing_since.is_not(None)
_WAITING = (
    select(HUB.c.key, _IS_FAILING.label("is_failing"))
    .where(
        HUB.c.state == HubState.ACTIVE,
        _over(HUB.c.leased_until),
        _over(HUB.c.resting_until),
        exists().where(
            CALLBACK.c.channel == sql_cast(HUB.c.key, Text),
            CALLBACK.c.priority == literal(PRIORITY),
            CALLBACK.c.due_at <= bindparam("now"),
        ),
    )
    # Those that answer go first; among them the one that was served longest ago.
    .order_by(_IS_FAILING, HUB.c.leased_until.nulls_first(), HUB.c.key)
    .limit(bindparam("most"))
)
_TO_LEASE = _WAITING.with_for_update(of=HUB, skip_locked=True)


def any_waiting(connection: Connection, *, now: datetime) -> bool:
    """Whether a hub that nobody serves has anything due."""
    return connection.execute(_WAITING, {"now": now, "most": 1}).first() is not None


def lease_hubs(
    connection: Connection, *, most: int, lease: str, now: datetime, until: datetime
) -> dict[int, bool]:
    """Lease to the relay at most that many hubs that nobody serves and that have callbacks due.

    By key, whether each is failing.
    """
    leasable = connection.execute(_TO_LEASE, {"now": now, "most": most})
    hubs = {row.key: bool(row.is_failing) for row in leasable}
    if hubs:
        connection.execute(
            update(HUB)
            .where(among(connection, HUB.c.key, hubs))
            .values(lease=lease, leased_until=until)
        )
    return hubs


def take_hub(
    connection: Connection, key: int, *, relayed: str, lease: str, until: datetime
) -> Row[Any] | None:
    """Make a hub that the relay holds under `relayed` the worker's own; None if it is not so.

    A new lease: when the broker delivers the same message twice, the second worker finds
    nothing.
    """
    statement = (
        update(HUB)
        .where(HUB.c.key == key, HUB.c.lease == relayed)
        .values(lease=lease, leased_until=until)
        .returning(*HUB.c)
    )
    return connection.execute(statement).one_or_none()


def lock_hubs(connection: Connection, leases: Mapping[int, str]) -> dict[int, Row[Any]]:
    """Of these hubs those that are still leased as given, locked, by key."""
    statement = (
        select(HUB)
        .where(among(connection, HUB.c.key, leases))
        .order_by(HUB.c.key)
        .with_for_update(key_share=True)
    )
    rows = connection.execute(statement)
    return {row.key: row for row in rows if row.lease == leases[row.key]}


def renew_hub(connection: Connection, key: int, *, lease: str, until: datetime) -> None:
    """Keep a hub that is still being served."""
    connection.execute(
        update(HUB).where(HUB.c.key == key, HUB.c.lease == lease).values(leased_until=until)
    )


def release_hubs(connection: Connection, keys: Sequence[int], *, lease: str, now: datetime) -> None:
    """Let others serve them."""
    connection.execute(
        update(HUB)
        .where(among(connection, HUB.c.key, keys), HUB.c.lease == lease)
        .values(lease=None, leased_until=now)
    )


def free_all_hubs(connection: Connection) -> None:
    """Let go of every lease: only for a process that is alone, when it starts."""
    connection.execute(update(HUB).values(lease=None, leased_until=None))
