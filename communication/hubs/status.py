"""How hubs are doing, and how long callbacks wait: a short look at an index for each hub."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, Text, bindparam, func, literal, select
from sqlalchemy import cast as sql_cast

from communication.hubs.callbacks import PRIORITY
from communication.hubs.listener_model import CALLBACK, HUB
from communication.hubs.registration import HubState

FAILING = "failing"
"""What an active hub is shown as from its first failure to its next success."""

_OLDEST_DUE = (
    select(func.min(CALLBACK.c.due_at))
    .where(
        CALLBACK.c.channel == sql_cast(HUB.c.key, Text),
        CALLBACK.c.priority == literal(PRIORITY),
        CALLBACK.c.due_at <= bindparam("now"),
    )
    .scalar_subquery()
)
_HUBS: Select[Any] = select(
    HUB.c.tenant, HUB.c.state, HUB.c.failing_since, _OLDEST_DUE.label("oldest")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HubStatus:
    """Of a tenant's hubs, by how they are doing.

    `age`: seconds that the longest waiting callback of one that is well has been due.
    """

    tenant: str
    counts: Mapping[str, int]
    age: float


def shown_state(hub: Row[Any]) -> str:
    """`active`, `failing` or `disabled`."""
    is_failing = hub.state == HubState.ACTIVE and hub.failing_since is not None
    return FAILING if is_failing else str(hub.state)


def hub_status(connection: Connection, *, now: datetime) -> list[HubStatus]:
    """Of all tenants that have hubs."""
    hubs: defaultdict[str, list[Row[Any]]] = defaultdict(list)
    for hub in connection.execute(_HUBS, {"now": now}):
        hubs[hub.tenant].append(hub)
    return [_status(tenant, theirs, now) for tenant, theirs in hubs.items()]


def _status(tenant: str, hubs: list[Row[Any]], now: datetime) -> HubStatus:
    waiting = [one.oldest for one in hubs if one.oldest and shown_state(one) == HubState.ACTIVE]
    counts = Counter(map(shown_state, hubs))
    return HubStatus(
        tenant=tenant,
        counts={name: counts[name] for name in (HubState.ACTIVE, FAILING, HubState.DISABLED)},
        age=(now - min(waiting)).total_seconds() if waiting else 0.0,
    )
