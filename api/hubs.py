"""hub of TMF681 v1: who wants to hear of events (seed 004; docs/tmf681.md)."""

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from falcon import Request, Response
from sqlalchemy import Connection, Row

from api.answers import Answer
from api.context import Context
from api.edge import caller_of, location
from communication.clock import to_wire
from communication.encoding import to_json
from communication.errors import InvalidPathParameter, InvalidQueryParameter, Refused
from communication.http.client import Guard
from communication.hubs.query import parse_hub_query
from communication.hubs.registration import NewHub, find_hub, list_hubs, register, unregister
from communication.hubs.status import shown_state
from communication.wire.fields import Fields, Spellings, present

_FIELDS = Spellings("callback", "query")
_LONGEST = 2048
_ID = re.compile("[A-Za-z0-9._-]{1,128}")


class Hubs:
    """All registered listeners."""

    scopes: ClassVar[Mapping[str, str]] = {"GET": "hub:write", "POST": "hub:write"}

    def __init__(self, context: Context) -> None:
        self._context = context
        self._guard = Guard.of(context.settings.callback_allow)

    def on_post(self, req: Request, resp: Response) -> None:
        """201 with the signing secret, which is shown this once."""
        body = self._context.read_object(req)
        hub = _read_hub(Fields.of(body, _FIELDS), self._guard)

        def work(connection: Connection) -> Answer:
            row = register(connection, caller_of(req).tenant, hub)
            shown = _registered(row) | {"secret": row.secret}
            return Answer(201, to_json(shown), {"Location": location(req, "hub", row.id)})

        self._context.once(req, body, work).write(resp)

    def on_get(self, req: Request, resp: Response) -> None:
        """200 with all of them."""
        with self._context.store.read() as connection:
            rows = list_hubs(connection, caller_of(req).tenant)
        resp.data = to_json([_represent(row) for row in rows])

    on_head = on_get


class OneHub:
    """A listener by its id."""

    scopes: ClassVar[Mapping[str, str]] = {"GET": "hub:write", "DELETE": "hub:write"}

    def __init__(self, context: Context) -> None:
        self._context = context

    def on_get(self, req: Request, resp: Response, hub_id: str) -> None:
        """200."""
        with self._context.store.read() as connection:
            row = find_hub(connection, caller_of(req).tenant, checked_hub_id(hub_id))
        resp.data = to_json(_represent(row))

    on_head = on_get

    def on_delete(self, req: Request, resp: Response, hub_id: str) -> None:
        """204; it hears no more."""
        with self._context.store.write() as connection:
            unregister(connection, caller_of(req).tenant, checked_hub_id(hub_id))
        resp.status = 204


def _read_hub(fields: Fields, guard: Guard) -> NewHub:
    callback = fields.text("callback", most=_LONGEST)
    if callback is None:
        raise fields.missing("callback", "is required: the URL that events are posted to")
    _check_callback(fields, callback, guard)
    query = fields.text("query", most=_LONGEST)
    if query is not None:
        _check_query(fields, query)
    return NewHub(callback=callback, query=query or None, api_version="v1")


def _check_query(fields: Fields, query: str) -> None:
    try:
        parse_hub_query(query)
    except InvalidQueryParameter as error:
        where = f"{error.field} " if error.field else ""
        raise fields.invalid("query", f"{where}{error.message}") from error


def checked_hub_id(text: str) -> str:
    """A hub's id from a path. InvalidPathParameter if it can't be one."""
    if not _ID.fullmatch(text):
        raise InvalidPathParameter("no hub can have this id", field="id")
    return text


def _check_callback(fields: Fields, callback: str, guard: Guard) -> None:
    try:
        guard.check(callback)
    except Refused as error:
        raise fields.invalid("callback", error.reason) from error


def _registered(row: Row[Any]) -> dict[str, Any]:
    """As seed 004 shows it."""
    return {"id": row.id, "callback": row.callback, "query": row.query or None}


def _represent(row: Row[Any]) -> dict[str, Any]:
    """With how it is doing."""
    return _registered(row) | present(
        state=shown_state(row),
        failingSince=row.failing_since and to_wire(row.failing_since),
        restingUntil=row.resting_until and to_wire(row.resting_until),
        oldSecretUntil=row.old_secret_until and to_wire(row.old_secret_until),
    )
