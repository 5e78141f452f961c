"""One communicationMessage of TMF681 v1: read, changed, deleted (docs/tmf681.md)."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, ClassVar

from falcon import Request, Response

from api.context import Context
from api.edge import caller_of
from api.message_list import wants_receivers
from api.messages import checked_id, whole
from communication.clock import now
from communication.encoding import to_json
from communication.messages.changing import change, remove
from communication.messages.rows import Stored, find, load_stored
from communication.query.conditions import selected
from communication.query.message_vocabulary import message_vocabulary
from communication.query.tmf630 import parse_query_string
from communication.wire.fields import Fields
from communication.wire.message import MESSAGE_FIELDS, read_message
from communication.wire.patch import asks_to_cancel, patched
from communication.wire.representation import represent


class Message:
    """A message by its id."""

    scopes: ClassVar[Mapping[str, str]] = {
        "GET": "communication:read",
        "PATCH": "communication:write",
        "PUT": "communication:write",
        "DELETE": "communication:write",
    }

    def __init__(self, context: Context) -> None:
        self._context = context

    def on_get(self, req: Request, resp: Response, message_id: str) -> None:
        """200; `fields=` selects."""
        query = parse_query_string(req.query_string, message_vocabulary())
        with self._context.store.read() as connection:
            head = find(connection, caller_of(req).tenant, checked_id(message_id))
            stored = load_stored(connection, head, receivers=wants_receivers(query))
        resource = self._represent(stored)
        resp.data = to_json(selected(resource, query.fields) if query.fields else resource)

    on_head = on_get

    def on_patch(self, req: Request, resp: Response, message_id: str) -> None:
        """201 (seed 004) with the whole resource: a merge patch (RFC 7396)."""
        self._change(req, resp, message_id, patched)

    def on_put(self, req: Request, resp: Response, message_id: str) -> None:
        """201 with the whole resource, which is now what the body says."""
        self._change(req, resp, message_id, lambda _whole, given: given)

    def on_delete(self, req: Request, resp: Response, message_id: str) -> None:
        """204; what is undelivered is cancelled, and the id is free again."""
        with self._context.store.write() as connection:
            head = find(connection, caller_of(req).tenant, checked_id(message_id), lock=True)
            remove(connection, head, now())
        resp.status = 204

    def _change(
        self,
        req: Request,
        resp: Response,
        message_id: str,
        merge: Callable[[dict[str, Any], Fields], Fields],
    ) -> None:
        message_id = checked_id(message_id)
        given = Fields.of(self._context.read_object(req), MESSAGE_FIELDS)
        with self._context.store.write() as connection:
            head = find(connection, caller_of(req).tenant, message_id, lock=True)
            stored = load_stored(connection, head)
            resource = self._represent(stored)
            cancelling = asks_to_cancel(given, head, resource["href"])
            rules = self._context.rules
            if cancelling:  # whatever has become of its template
                rules = replace(rules, templates=None)
            draft = read_message(merge(resource, given), rules, tenant=head.tenant)
            stored = change(connection, stored, draft, cancelling=cancelling, now=now())
            resp.data = whole(self._context, stored)
        resp.status = 201

    def _represent(self, stored: Stored) -> dict[str, Any]:
        public_url = self._context.settings.public_url
        return represent(stored.head, stored.document, stored.receivers, public_url=public_url)
