"""GET communicationMessage/{id}/delivery: what became of each receiver (docs/tmf681.md)."""

import re
from collections.abc import Mapping
from typing import ClassVar

from falcon import Request, Response

from api.context import Context
from api.edge import caller_of
from api.messages import checked_id
from api.paging import page
from communication.deliveries import Wanted, list_deliveries
from communication.encoding import to_json
from communication.errors import InvalidQueryParameter
from communication.messages import find
from communication.model import State
from communication.tmf630 import DEFAULT_LIMIT, HIGHEST_LIMIT

_WHOLE = re.compile("[0-9]{1,9}")
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
    for name in req.params:
        if name not in _PARAMETERS:
            raise InvalidQueryParameter(f"is none of {', '.join(_PARAMETERS)}", field=name)
    state = req.get_param("state")
    if state is not None and state not in set(State):
        raise InvalidQueryParameter(f"must be one of {', '.join(State)}", field="state")
    offset, limit = _whole(req, "offset"), _whole(req, "limit")
    return Wanted(
        state=state,
        send=_whole(req, "send"),
        offset=offset or 0,
        limit=DEFAULT_LIMIT if limit is None else min(limit, HIGHEST_LIMIT),
    )


def _whole(req: Request, name: str) -> int | None:
    text = req.get_param(name)
    if text is None:
        return None
    if not _WHOLE.fullmatch(text):
        raise InvalidQueryParameter("must be a whole number, 0 or more", field=name)
    return int(text)
