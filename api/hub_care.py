"""What keeps a hub going: its callbacks, recovery, secrets, a test (docs/hub.md)."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar

from falcon import Request, Response
from sqlalchemy import Connection, Row

from api.answers import Answer
from api.context import Context
from api.edge import caller_of
from api.hubs import checked_hub_id
from api.paging import check_parameters, offset_and_limit, one_of, page
from communication.clock import now, to_wire
from communication.encoding import to_json
from communication.errors import Conflict
from communication.events.example_event import example_event
from communication.hubs.callbacks import Wanted, add_example, list_callbacks, recover
from communication.hubs.registration import HubState, find_hub, revive, rotate_secret
from communication.model import State
from communication.wire.fields import Fields, Spellings

_WRITE = {"POST": "hub:write"}
_PARAMETERS = ("state", "offset", "limit")
_STATES = (State.PENDING, State.DELIVERED, State.FAILED)
_RECOVERY = Spellings("since")
_ACCEPTED = 202


class Callbacks:
    """What a hub was told, and what it was not."""

    scopes: ClassVar[Mapping[str, str]] = {"GET": "hub:write"}

    def __init__(self, context: Context) -> None:
        self._context = context

    def on_get(self, req: Request, resp: Response, hub_id: str) -> None:
        """200 or 206, in the order of events."""
        wanted = _wanted(req)
        with self._context.store.read() as connection:
            hub = _hub(connection, req, hub_id)
            total, rows = list_callbacks(connection, hub.key, wanted)
        items = [to_json(row) for row in rows]
        page(req, items, offset=wanted.offset, limit=wanted.limit, total=total).write(resp)

    on_head = on_get


class Recovery:
    """What failed is sent again."""

    scopes: ClassVar[Mapping[str, str]] = _WRITE

    def __init__(self, context: Context) -> None:
        self._context = context

    def on_post(self, req: Request, resp: Response, hub_id: str) -> None:
        """200 with how many; a hub that was disabled hears again."""
        body = self._context.read_object(req)
        fields = Fields.of(body, _RECOVERY)
        since = fields.moment("since")
        if since is None:
            raise fields.missing("since", "is required: of what age failed events are sent again")

        def work(connection: Connection) -> Answer:
            hub = _hub(connection, req, hub_id)
            revive(connection, hub.key)
            count = recover(connection, hub.key, since=since)
            return Answer(200, to_json({"recovered": count}))

        self._context.once(req, body, work).write(resp)


class Rotation:
    """A new secret takes the place of the old one."""

    scopes: ClassVar[Mapping[str, str]] = _WRITE

    def __init__(self, context: Context) -> None:
        self._context = context

    def on_post(self, req: Request, resp: Response, hub_id: str) -> None:
        """200 with the new secret, which is shown this once; the old one signs for a while."""
        self._context.read_nothing(req)
        checked_hub_id(hub_id)
        overlap = timedelta(seconds=self._context.settings.secret_overlap)

        def work(connection: Connection) -> Answer:
            until = now() + overlap
            tenant = caller_of(req).tenant
            secret, hub = rotate_secret(connection, tenant, hub_id, until=until)
            shown = {"id": hub.id, "secret": secret, "oldSecretUntil": to_wire(until)}
            return Answer(200, to_json(shown))

        self._context.once(req, {}, work).write(resp)


class Example:
    """An event that did not happen."""

    scopes: ClassVar[Mapping[str, str]] = _WRITE

    def __init__(self, context: Context) -> None:
        self._context = context

    def on_post(self, req: Request, resp: Response, hub_id: str) -> None:
        """202; it is sent like any other, whatever the hub's query. 409 for one disabled."""
        self._context.read_nothing(req)

        def work(connection: Connection) -> Answer:
            hub = _hub(connection, req, hub_id)
            if hub.state == HubState.DISABLED:
                raise Conflict("the hub is disabled; POST its …/recover first")
            moment = now()
            event = example_event(self._context.settings.public_url, moment)
            add_example(connection, hub.key, event, moment)
            return Answer(_ACCEPTED, to_json({"eventId": event["eventId"]}))

        self._context.once(req, {}, work).write(resp)


def _hub(connection: Connection, req: Request, hub_id: str) -> Row[Any]:
    return find_hub(connection, caller_of(req).tenant, checked_hub_id(hub_id))


def _wanted(req: Request) -> Wanted:
    check_parameters(req, _PARAMETERS)
    offset, limit = offset_and_limit(req)
    return Wanted(state=one_of(req, "state", _STATES), offset=offset, limit=limit)
