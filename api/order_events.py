"""The Order Event API (seed 002; docs/order-events.md)."""

from collections.abc import Mapping
from typing import ClassVar

from falcon import Request, Response

from api.answers import JSON
from api.context import Context
from api.edge import caller_of
from communication.encoding import to_json
from communication.errors import InvalidQueryParameter
from communication.events.order_feed import find_order, open_feed, read_feed

_SCOPES = dict.fromkeys(("GET", "HEAD"), "orderevents:read")


class OrderEvents:
    """How orders ended: a list that only ever grows."""

    scopes: ClassVar[Mapping[str, str]] = _SCOPES

    def __init__(self, context: Context) -> None:
        self._context = context

    def on_get(self, req: Request, resp: Response) -> None:
        """200 with what came strictly after `since`; 304 while nothing has."""
        since = _since(req)
        with self._context.store.read() as connection:
            feed = open_feed(connection, caller_of(req).tenant, since)
        resp.etag = feed.mark
        resp.cache_control = ["private", "no-cache"]
        if _has_seen(req, feed.mark):
            resp.status = 304
            return
        resp.content_type = JSON
        resp.stream = read_feed(self._context.store, feed)

    on_head = on_get


class Order:
    """What became of one order."""

    scopes: ClassVar[Mapping[str, str]] = _SCOPES

    def __init__(self, context: Context) -> None:
        self._context = context

    def on_get(self, req: Request, resp: Response, order_id: str) -> None:
        """200, with the state RECEIVED until it is over; 404."""
        with self._context.store.read() as connection:
            order = find_order(connection, caller_of(req).tenant, order_id)
        resp.content_type = JSON
        resp.data = to_json(order)

    on_head = on_get


def _since(req: Request) -> str | None:
    for name in req.params:
        if name != "since":
            raise InvalidQueryParameter("is unknown; there is only since", field=name)
    given = req.get_param_as_list("since")
    if given is None:
        return None
    if len(given) != 1:
        raise InvalidQueryParameter("must be one event, given once", field="since")
    return given[0]


def _has_seen(req: Request, mark: str) -> bool:
    tags = req.if_none_match or []
    return any(tag in ("*", mark) for tag in tags)
