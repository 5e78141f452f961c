"""Events as others are told of them: built of what is stored, set-wise, for wanted types alone.

Shapes are seed 004's (TMF681 v1) and, of what was heard or collected, those it came in.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    Text,
    and_,
    bindparam,
    func,
    or_,
    select,
)
from sqlalchemy import cast as sql_cast

from communication.clock import to_wire
from communication.events.event_model import EVENT
from communication.events.happening import Kind
from communication.events.told import CREATION, DELETION, DELIVERY, UPDATE, Told
from communication.messages.deliveries import load_deliveries, represent_delivery
from communication.messages.rows import load_documents, load_heads, load_receivers
from communication.model import DOCUMENT
from communication.wire.representation import Head, message_href, represent

TYPES = {
    Kind.CREATED: CREATION,
    Kind.CHANGED: UPDATE,
    Kind.DELETED: DELETION,
    Kind.ENDED: DELIVERY,
    Kind.CONTRADICTED: DELIVERY,
}
"""The names of seed 004 for our kinds; the last is ours. HEARD and COLLECTED have their own."""
PORTION = 100
"""Events that are in memory at once,"""
PORTION_BYTES = 16 * 1024 * 1024
"""and how large their messages may be together, if they are more than one."""
_RESOURCE = "CommunicationMessage"
_OF_DELIVERIES = frozenset({Kind.ENDED, Kind.CONTRADICTED})
_OF_MESSAGES = frozenset({Kind.CREATED, Kind.CHANGED, Kind.DELETED})
_LATER = ("sendTimeComplete", "deliverySummary")
"""What a message has only from its first send on."""


def type_of(event: Row[Any]) -> str:
    """What a row of `event` is called by those who are told of it."""
    return str(event.type or TYPES[Kind(event.kind)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Teller:
    """Builds what is told. `receivers`: the most that one representation carries."""

    public_url: str
    receivers: int

    def portions(self, connection: Connection, positions: Sequence[int]) -> Iterator[list[int]]:
        """The positions in portions that fit into memory together, in order."""
        if not positions:
            return
        portion: list[int] = []
        size = 0
        for position, each in connection.execute(_SIZES, {"positions": list(positions)}):
            if portion and (len(portion) == PORTION or size + each > PORTION_BYTES):
                yield portion
                portion, size = [], 0
            portion.append(position)
            size += each
        yield portion

    def tell(self, connection: Connection, events: Sequence[Row[Any]]) -> list[Told]:
        """Rows of `event`, as they are told, in their order.

        Of a message that was purged meanwhile there is nothing left to tell.
        """
        known = self._load(connection, events)
        return [
            Told(
                position=event.position,
                id=event.id,
                tenant=event.tenant,
                type=type_of(event),
                at=event.at,
                body=self._body(event, known),
                message_key=event.message_key,
                delivery_key=event.delivery_key,
            )
            for event in events
            if event.payload is not None or event.message_key in known.heads
        ]

    def at(self, connection: Connection, positions: Collection[int]) -> list[Told]:
        """What stands at these positions, in order; told once more, it is built anew."""
        rows = connection.execute(_AT, {"positions": list(positions)})
        return self.tell(connection, rows.all())

    def _load(self, connection: Connection, events: Sequence[Row[Any]]) -> "_Known":
        ended = [one for one in events if one.kind in _OF_DELIVERIES]
        shown = sorted({one.message_key for one in events if one.kind in _OF_MESSAGES})
        owners = sorted({*shown, *(one.message_key for one in ended)})
        heads = {one.key: one for one in load_heads(connection, owners)}
        return _Known(
            heads=heads,
            wholes=self._represent(connection, [heads[key] for key in shown if key in heads]),
            deliveries=load_deliveries(connection, sorted({one.delivery_key for one in ended})),
        )

    def _represent(
        self, connection: Connection, heads: Sequence[Head]
    ) -> dict[int, dict[str, Any]]:
        """Whole resources by key; of a message to very many, how many they are."""
        documents = load_documents(connection, [one.key for one in heads])
        small = [one.key for one in heads if one.receiver_count <= self.receivers]
        receivers = load_receivers(connection, small)
        wholes = {}
        for head in heads:
            listed = receivers.get(head.key, []) if head.key in small else None
            whole = represent(head, documents[head.key], listed, public_url=self.public_url)
            count = {} if listed is not None else {"receiverCount": head.receiver_count}
            wholes[head.key] = whole | count
        return wholes

    def _body(self, event: Row[Any], known: "_Known") -> Mapping[str, Any]:
        if event.payload is not None:
            return dict(event.payload)
        header = {
            "eventType": type_of(event),
            "eventTime": to_wire(event.at),
            "eventId": event.id,
        }
        if event.kind in _OF_DELIVERIES:
            return header | self._delivery(event, known)
        resource = self._as_seen(event, known.wholes[event.message_key])
        if event.kind == Kind.CREATED:
            return header | {"event": {_RESOURCE: [resource]}}
        return header | {_RESOURCE: resource}

    def _delivery(self, event: Row[Any], known: "_Known") -> dict[str, Any]:
        head = known.heads[event.message_key]
        message = {"id": head.id, "href": message_href(self.public_url, head.id)}
        row = known.deliveries.get(event.delivery_key)
        shown = {} if row is None else {"delivery": represent_delivery(head, row)}
        said = {"contradiction": event.changed} if event.kind == Kind.CONTRADICTED else {}
        return {_RESOURCE: message} | shown | said

    def _as_seen(self, event: Row[Any], whole: Mapping[str, Any]) -> dict[str, Any]:
        """The resource with the changed attributes as the event saw them; None: it had none."""
        seen: dict[str, Any] = dict(event.changed or {})
        if event.kind == Kind.CREATED:
            seen |= dict.fromkeys(_LATER)
        if len(seen.get("receiver") or ()) > self.receivers:
            seen["receiverCount"] = len(seen.pop("receiver"))
        if "receiverCount" in seen:
            seen["receiver"] = None
        elif "receiver" in seen:
            seen["receiverCount"] = None
        return {
            name: value
            for name, value in {**whole, **seen}.items()
            if value is not None or name not in seen
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What the bodies of a batch are made of, by key."""

    heads: Mapping[int, Head]
    wholes: Mapping[int, dict[str, Any]]
    deliveries: Mapping[int, Any]


_SIZES = (
    select(
        EVENT.c.position,
        func.coalesce(func.length(sql_cast(DOCUMENT.c.document, Text)), 0)
        + func.coalesce(func.length(sql_cast(EVENT.c.payload, Text)), 0),
    )
    .join_from(
        EVENT,
        DOCUMENT,
        and_(DOCUMENT.c.message_key == EVENT.c.message_key, EVENT.c.kind.in_(_OF_MESSAGES)),
        isouter=True,
    )
    .where(EVENT.c.position.in_(bindparam("positions", expanding=True)))
    .order_by(EVENT.c.position)
)
_AT = (
    select(EVENT)
    .where(EVENT.c.position.in_(bindparam("positions", expanding=True)))
    .order_by(EVENT.c.position)
)


def of_types(types: Collection[str]) -> ColumnElement[bool]:
    """Rows of `event` whose type, as it is told, is one of these."""
    kinds = [kind for kind, name in TYPES.items() if name in types]
    return or_(
        and_(EVENT.c.type.is_(None), EVENT.c.kind.in_(kinds)), EVENT.c.type.in_(sorted(types))
    )


def positions_between(
    connection: Connection,
    *,
    tenant: str,
    types: Collection[str],
    after: int,
    last: int,
    limit: int,
) -> Sequence[int]:
    """Where at most `limit` of a tenant's events of these types stand, in order.

    From `after`, which is left out, up to `last`, which is not.
    """
    span = (EVENT.c.tenant == tenant, EVENT.c.position > after, EVENT.c.position <= last)
    wanted = select(EVENT.c.position).where(*span, of_types(types))
    return connection.execute(wanted.order_by(EVENT.c.position).limit(limit)).scalars().all()


def heads_after(position: int, limit: int) -> Select[Any]:
    """Of the next rows of `event`, of all tenants, what tells who wants them."""
    columns = (EVENT.c.position, EVENT.c.tenant, EVENT.c.kind, EVENT.c.type)
    later = select(*columns).where(EVENT.c.position > position)
    return later.order_by(EVENT.c.position).limit(limit)
