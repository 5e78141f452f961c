"""The Event Collector of seed 003 (docs/event-collector.md)."""

from collections.abc import Mapping
from typing import Any, ClassVar

from falcon import Request, Response
from sqlalchemy import Connection

from api.answers import Answer
from api.context import Context
from api.edge import caller_of
from api.tenants import named_tenant
from communication.clock import now
from communication.encoding import to_json
from communication.errors import InvalidPathParameter
from communication.events.collected import (
    Vocabulary,
    collect,
    find_collected,
    new_collected,
    read_collected,
)
from communication.public_id import is_public_id


class CollectedEvents:
    """Where events are reported to."""

    scopes: ClassVar[Mapping[str, str]] = {"POST": "events:write"}

    def __init__(self, context: Context) -> None:
        self._context = context
        self._vocabulary = Vocabulary.of(context.settings)

    def on_post(self, req: Request, resp: Response) -> None:
        """201 with the stored event."""
        self._context.untold.check(caller_of(req).tenant)
        tenant = named_tenant(req)
        body = self._context.read_object(req)
        event = read_collected(body, self._vocabulary)

        def work(connection: Connection) -> Answer:
            stored = new_collected(tenant, event, now())
            collect(connection, [stored])
            return Answer(201, to_json(stored.body), {"Location": f"/api/v1/events/{stored.id}"})

        self._context.once(req, body, work).write(resp)


class CollectedEvent:
    """One of them by its id."""

    scopes: ClassVar[Mapping[str, str]] = {"GET": "events:read"}

    def __init__(self, context: Context) -> None:
        self._context = context

    def on_get(self, req: Request, resp: Response, event_id: str) -> None:
        """200."""
        tenant = named_tenant(req)
        if not is_public_id(event_id):
            raise InvalidPathParameter("no event can have this id", field="id")
        with self._context.store.read() as connection:
            stored: dict[str, Any] = find_collected(connection, tenant, event_id)
        resp.data = to_json(stored)

    on_head = on_get
