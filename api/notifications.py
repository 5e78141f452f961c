"""Polled notifications of seed 001 (docs/notifications.md)."""

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from falcon import Request, Response
from orjson import Fragment
from sqlalchemy import Connection, Row

from api.answers import Answer
from api.context import Context
from api.edge import caller_of
from communication.clock import now, to_wire
from communication.encoding import to_json
from communication.errors import InvalidPathParameter, InvalidQueryParameter
from communication.events.event_types import event_types
from communication.polling.handing_out import Polling, Reader
from communication.polling.subscriptions import (
    create_subscription,
    delete_subscription,
    read_subscription,
)
from communication.public_id import is_public_id

ADMINISTRATOR = "notification:consent:administrator"
CONSUMER = "notification:consent:consumer"
PATH = "/notification/v1/subscriptions"
LARGEST_PAGE = 1000
_WHOLE = re.compile("[0-9]{1,9}")


class Subscriptions:
    """All pollers."""

    scopes: ClassVar[Mapping[str, str]] = {"POST": ADMINISTRATOR}

    def __init__(self, context: Context, polling: Polling) -> None:
        self._context = context
        self._polling = polling
        self._types = event_types(context.settings)

    def on_post(self, req: Request, resp: Response) -> None:
        """201; it hears of all that happens from now on."""
        body = self._context.read_object(req)
        new = read_subscription(body, self._types)
        caller, created = caller_of(req), []

        def work(connection: Connection) -> Answer:
            row = create_subscription(
                connection,
                new,
                tenant=caller.tenant,
                subscribed_by=caller.client or new.client_id,
                page_size=self._context.settings.notification_page_size,
                now=now(),
            )
            created.append(row)
            shown = represent(row, 0, self._context.settings.public_url)
            return Answer(201, to_json(shown), {"Location": f"{PATH}/{row.id}"})

        self._context.once(req, body, work).write(resp)
        for row in created:
            self._polling.begin(row)


class OneSubscription:
    """A poller by its id."""

    scopes: ClassVar[Mapping[str, str]] = {"GET": CONSUMER, "DELETE": ADMINISTRATOR}

    def __init__(self, context: Context, polling: Polling) -> None:
        self._context = context
        self._polling = polling

    def on_get(self, req: Request, resp: Response, subscription_id: str) -> None:
        """200, with how many notifications wait."""
        row, left = self._polling.status(_reader(req, subscription_id))
        resp.data = to_json(represent(row, left, self._context.settings.public_url))

    on_head = on_get

    def on_delete(self, req: Request, resp: Response, subscription_id: str) -> None:
        """200; its notifications are dropped."""
        reader = _reader(req, subscription_id)
        with self._context.store.write() as connection:
            deleted = delete_subscription(connection, reader.tenant, subscription_id)
        self._polling.drop(deleted)
        resp.data = to_json(
            {"code": "NOT000001", "description": f"subscription {subscription_id} is deleted"}
        )


class Notifications:
    """What a poller has not been told yet."""

    scopes: ClassVar[Mapping[str, str]] = {"GET": CONSUMER}

    def __init__(self, polling: Polling) -> None:
        self._polling = polling

    def on_get(self, req: Request, resp: Response, subscription_id: str) -> None:
        """200 with the oldest; none of them is ever given again."""
        page = _whole(req, "page", least=0) or 0
        size = _whole(req, "size", least=1)
        reader = _reader(req, subscription_id)
        size, bodies = self._polling.read(reader, size and min(size, LARGEST_PAGE))
        results = [Fragment(body) for body in bodies]
        resp.data = to_json({"page": page, "size": size, "results": results})
        resp.cache_control = ("no-store",)


def represent(row: Row[Any], left: int, public_url: str) -> dict[str, Any]:
    """The whole shape of seed 001."""
    asked = row.last_request_date
    return {
        "id": row.id,
        "subscription": {
            "client_id": row.client_id,
            "event_type_ids": row.event_type_ids,
            "subscribed_by": row.subscribed_by,
            "subscription_date": to_wire(row.created_at),
            "notification_url": f"{public_url}{PATH}/{row.id}/notifications",
            "notification_page_size": row.notification_page_size,
        },
        "subscription_status": {
            "last_request_date": asked and to_wire(asked),
            "number_of_remaining_notifications": left,
        },
    }


def _reader(req: Request, subscription_id: str) -> Reader:
    if not is_public_id(subscription_id):
        raise InvalidPathParameter("no subscription can have this id", field="id")
    caller = caller_of(req)
    return Reader(tenant=caller.tenant, client=caller.client, subscription_id=subscription_id)


def _whole(req: Request, name: str, *, least: int) -> int | None:
    given = req.get_param(name)
    if given is None:
        return None
    if not _WHOLE.fullmatch(given) or int(given) < least:
        raise InvalidQueryParameter(f"must be a whole number, {least} or more", field=name)
    return int(given)
