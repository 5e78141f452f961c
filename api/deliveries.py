"""GET communicationMessage/{id}/delivery: what became of each receiver (docs/tmf681.md)."""

from collections.abc import Mapping
from typing import ClassVar

from falcon import Request, Response

from api.context import Context
from api.edge import caller_of
from api.messages import checked_id
from api.paging import check_parameters, offset_and_limit, one_of, page, whole
from communication.encoding import to_json
from communication.messages.deliveries import Wanted, list_deliveries
from communication.messages.rows import find
from communication.model import State

_PARAMETERS = ("state", "send", "offset", "limit")


class Deliveries:
    """The deliveries of one message, of all its sends."""

    scopes: ClassVar[Mapping[str, str]] = {"GET": "communication:read"}

    def __init__(self, context: Context) -> None:
        self._context = context

    def on_get(self, req: Request, resp: Response, message_id: str) -> None:
        """200 or 206, in order of send and receiver."""
        wanted = _wanted(req)
        with self._context.store.read() as connection:
            head = find(connection, caller_of(req).tenant, checked_id(message_id))
            total, rows = list_deliveries(connection, head, wanted)
        items = [to_json(row) for row in rows]
        page(req, items, offset=wanted.offset, limit=wanted.limit, total=total).write(resp)

    on_head = on_get


def _wanted(req: Request) -> Wanted:
    check_parameters(req, _PARAMETERS)
    offset, limit = offset_and_limit(req)
    state, send = one_of(req, "state", State), whole(req, "send")
    return Wanted(state=state, send=send, offset=offset, limit=limit)
