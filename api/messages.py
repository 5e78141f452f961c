"""communicationMessage of TMF681 v1: creation and sending (seed 004; docs/tmf681.md)."""

from collections.abc import Mapping
from typing import ClassVar
from urllib.parse import quote

import structlog
from falcon import Request, Response
from sqlalchemy import Connection

from api.answers import Answer
from api.context import Context
from api.edge import caller_of, location
from api.message_list import list_messages
from communication import metrics
from communication.clock import now
from communication.encoding import to_json
from communication.errors import InvalidPathParameter
from communication.lanes import lane_of
from communication.messages import acceptance
from communication.messages.rows import Stored, find, load_stored
from communication.messages.sending import start_send
from communication.wire.fields import Fields
from communication.wire.message import MESSAGE_FIELDS, is_message_id, read_message
from communication.wire.representation import Head, represent

log = structlog.get_logger(part="api")


class Messages:
    """The messages as a whole: a list, and a place to store new ones."""

    scopes: ClassVar[Mapping[str, str]] = {
        "GET": "communication:read",
        "POST": "communication:write",
    }

    def __init__(self, context: Context) -> None:
        self._context = context

    def on_get(self, req: Request, resp: Response) -> None:
        """200 when the page is the whole list, else 206."""
        list_messages(self._context, req).write(resp)

    on_head = on_get

    def on_post(self, req: Request, resp: Response) -> None:
        """201; nothing is sent until somebody asks for it."""
        accept(self._context, req, sending=False).write(resp)


class NewSend:
    """POST of a new message that is sent."""

    scopes: ClassVar[Mapping[str, str]] = {"POST": "communication:send"}

    def __init__(self, context: Context) -> None:
        self._context = context

    def on_post(self, req: Request, resp: Response) -> None:
        """200; it is sent at its sendTime, or now."""
        accept(self._context, req, sending=True).write(resp)


class Send:
    """A stored message that is sent."""

    scopes: ClassVar[Mapping[str, str]] = {"POST": "communication:send"}

    def __init__(self, context: Context) -> None:
        self._context = context

    def on_post(self, req: Request, resp: Response, message_id: str) -> None:
        """200; it is sent at its sendTime, or now; 409 while it is being sent."""
        self._context.backlog.check(caller_of(req).tenant)
        message_id = checked_id(message_id)
        self._context.read_nothing(req)

        begun: list[Head] = []

        def work(connection: Connection) -> Answer:
            head = find(connection, caller_of(req).tenant, message_id, lock=True)
            start_send(connection, head, now())
            begun.append(head)
            return Answer(200, whole(self._context, load_stored(connection, head)))

        self._context.once(req, {}, work).write(resp)
        for head in begun:
            _log("sending accepted", head)


def checked_id(text: str) -> str:
    """A message's id from a path. InvalidPathParameter if it can't be one."""
    if not is_message_id(text):
        raise InvalidPathParameter("no message can have this id", field="id")
    return text


def whole(context: Context, stored: Stored) -> bytes:
    """The whole resource as JSON."""
    public_url = context.settings.public_url
    return to_json(represent(stored.head, stored.document, stored.receivers, public_url=public_url))


def accept(context: Context, req: Request, *, sending: bool) -> Answer:
    """Store what the body says in one transaction, and have it sent if it shall be."""
    if sending:
        context.backlog.check(caller_of(req).tenant)
    body = context.read_object(req)
    tenant = caller_of(req).tenant
    draft = read_message(Fields.of(body, MESSAGE_FIELDS), context.rules, tenant=tenant)
    accepted: list[Head] = []

    def work(connection: Connection) -> Answer:
        head = acceptance.accept(connection, draft, tenant=tenant, now=now(), sending=sending)
        accepted.append(head)
        stored = Stored(head=head, document=draft.document, receivers=draft.receivers)
        where = location(req, "communicationMessage", quote(head.id, safe=""))
        return Answer(200 if sending else 201, whole(context, stored), {"Location": where})

    answer = context.once(req, body, work, single=True)
    for head in accepted:
        _tell_accepted(head)
    return answer


def _tell_accepted(head: Head) -> None:
    metrics.ACCEPTED.labels(head.tenant, head.channel, lane_of(head.priority)).inc()
    _log("message accepted", head)


def _log(event: str, head: Head) -> None:
    log.info(
        event,
        message=head.id,
        uid=head.uid,
        channel=head.channel,
        receivers=head.receiver_count,
        send=head.send,
    )
