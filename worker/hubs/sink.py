"""Which hub is to be told of which event."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, select

from communication.bulk import insert_rows
from communication.clock import now
from communication.events.told import Told
from communication.hubs.callbacks import body_row, callback_row
from communication.hubs.listener_model import CALLBACK, CALLBACK_BODY, HUB
from communication.hubs.query import interest_of
from communication.hubs.registration import HubState

_ACTIVE: Select[Any] = select(
    HUB.c.key, HUB.c.id, HUB.c.tenant, HUB.c.query, HUB.c.created_position
).where(HUB.c.state == HubState.ACTIVE)


class HubSink:
    """Makes a callback of each event for each hub that wants it."""

    def __init__(self, known_types: Iterable[str]) -> None:
        self._known_types = frozenset(known_types)

    def wants(self, connection: Connection) -> Mapping[str, set[str]]:
        """The event types that the hubs of each tenant may want to hear of."""
        wanted: dict[str, set[str]] = defaultdict(set)
        for hub in connection.execute(_ACTIVE):
            wanted[hub.tenant] |= interest_of(hub.query).types(self._known_types)
        return wanted

    def put(self, connection: Connection, told: Sequence[Told]) -> None:
        """Store what each hub is to be told, and each event's body once for all of them."""
        hubs = _hubs_of(connection, {one.tenant for one in told})
        heard = [(hub.key, one) for one in told for hub in hubs[one.tenant] if _hears(hub, one)]
        moment = now()
        callbacks = [
            callback_row(hub_key, position=one.position, event_id=one.id, due_at=moment)
            for hub_key, one in heard
        ]
        bodies = [
            body_row(position=one.position, event_type=one.type, body=one.body, now=moment)
            for one in {one.position: one for _, one in heard}.values()
        ]
        insert_rows(connection, CALLBACK, callbacks)
        insert_rows(connection, CALLBACK_BODY, bodies)


def _hubs_of(connection: Connection, tenants: set[str]) -> Mapping[str, list[Row[Any]]]:
    """Locked against being deleted before their callbacks are stored."""
    hubs: dict[str, list[Row[Any]]] = defaultdict(list)
    present = _ACTIVE.where(HUB.c.tenant.in_(tenants)).order_by(HUB.c.key)
    for hub in connection.execute(present.with_for_update(read=True, key_share=True)):
        hubs[hub.tenant].append(hub)
    return hubs


def _hears(hub: Row[Any], one: Told) -> bool:
    """Whether it is to be told: of what happened after it came, and not of its own faults."""
    if one.position <= hub.created_position or one.body.get("entity_id") == hub.id:
        return False
    return interest_of(hub.query).hears(one.type, one.id, one.body)
