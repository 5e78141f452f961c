"""The listener of seed 000: hears what others' hubs tell (docs/listener.md)."""

from collections.abc import Mapping
from typing import Any, ClassVar

from falcon import Request, Response
from sqlalchemy import Connection

from api.answers import Answer
from api.context import Context
from api.contracts import LISTENER
from api.edge import caller_of
from communication.clock import now
from communication.encoding import to_json
from communication.errors import (
    InvalidPathParameter,
    InvalidQueryParameter,
    MissingQueryParameter,
)
from communication.events.heard import HEARD_FIELDS, find_heard, hear, is_event_id, read_heard


class Listener:
    """Where events are posted to."""

    scopes: ClassVar[Mapping[str, str]] = {"POST": "listener:write"}

    def __init__(self, context: Context) -> None:
        self._context = context

    def on_post(self, req: Request, resp: Response) -> None:
        """201 with the event; the same one again is stored once."""
        self._context.untold.check(caller_of(req).tenant)
        selected = _selected(req)
        body = self._context.read_object(req)
        heard = read_heard(body)

        def work(connection: Connection) -> Answer:
            stored = hear(connection, caller_of(req).tenant, heard, now())
            return Answer(201, to_json(_shown(stored, selected)))

        self._context.once(req, body, work).write(resp)
        resp.content_type = LISTENER.media_type


class HeardEvent:
    """An event that was heard, by its id."""

    scopes: ClassVar[Mapping[str, str]] = {"GET": "listener:write"}

    def __init__(self, context: Context) -> None:
        self._context = context

    def on_get(self, req: Request, resp: Response, event_id: str) -> None:
        """200."""
        selected = _selected(req)
        if not is_event_id(event_id):
            raise InvalidPathParameter("no event can have this id", field="eventId")
        with self._context.store.read() as connection:
            stored = find_heard(connection, caller_of(req).tenant, event_id)
        resp.data = to_json(_shown(stored, selected))
        resp.content_type = LISTENER.media_type

    on_head = on_get


def _selected(req: Request) -> set[str] | None:
    """The attributes that `fields` names; None: all."""
    given = req.get_param_as_list("fields")
    if given is None:
        return None
    names = {part.strip() for one in given for part in one.split(",")} - {""}
    if not names:
        raise MissingQueryParameter("names no attribute; leave it out for all", field="fields")
    for name in sorted(names - HEARD_FIELDS.names):
        raise InvalidQueryParameter(
            f"{name!r} is none of {', '.join(sorted(HEARD_FIELDS.names))}", field="fields"
        )
    return names | {"eventId"}


def _shown(event: Mapping[str, Any], selected: set[str] | None) -> Mapping[str, Any]:
    if selected is None:
        return event
    return {name: value for name, value in event.items() if name in selected}
