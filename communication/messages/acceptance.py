"""Storing a new message: with its receivers, deliveries and event, all or nothing."""

from datetime import datetime

from sqlalchemy import Connection, insert
from sqlalchemy.exc import IntegrityError

from communication.encoding import to_json
from communication.errors import Conflict
from communication.events.happening import Happening, Kind, record
from communication.ids import new_id
from communication.messages.rows import due_from, insert_deliveries, insert_receivers
from communication.model import DOCUMENT, MESSAGE, State, Status
from communication.wire.message import Draft
from communication.wire.representation import Head

# Five statements cost three times the processor time of one (docs/decisions/0003).
_STORE = f"""
WITH message AS (
    INSERT INTO communication_message (
        uid, tenant, id, channel, priority, status, send, send_time, receiver_count, open_count,
        delivered_count, failed_count, cancelled_count, created_at, updated_at)
    VALUES (
        %(uid)s, %(tenant)s, %(id)s, %(channel)s, %(priority)s, %(status)s, %(send)s,
        %(send_time)s, %(receiver_count)s, %(open_count)s, 0, 0, 0, %(created_at)s, %(created_at)s)
    RETURNING key
), document AS (
    INSERT INTO message_document (message_key, document)
    SELECT key, %(document)s::jsonb FROM message
), receivers AS (
    INSERT INTO receiver (
        message_key, ordinal, id, name, email, phone, app_user_id, ip, attributes)
    SELECT message.key, given.ordinal, given.id, given.name, given.email, given.phone,
        given.app_user_id, given.ip, given.attributes
    FROM message, json_to_recordset(%(receivers)s::json) AS given(
        ordinal int, id text, name text, email text, phone text, app_user_id text, ip text,
        attributes jsonb)
    RETURNING key, message_key, ordinal
), deliveries AS (
    INSERT INTO delivery (
        message_key, receiver_key, ordinal, send, channel, priority, state, due_at, attempts,
        lost, created_at)
    SELECT message_key, key, ordinal, %(send)s, %(channel)s, %(priority)s, '{State.PENDING}',
        %(due_at)s, 0, 0, %(created_at)s
    FROM receivers WHERE %(send)s > 0
), created AS (
    INSERT INTO staged_event (id, tenant, kind, message_key, changed, at)
    SELECT %(event_id)s, %(tenant)s, '{Kind.CREATED}', key,
        jsonb_build_object('status', %(status)s::text), %(created_at)s
    FROM message
)
SELECT key FROM message
"""  # noqa: S608 - made of our own constants alone


def accept(
    connection: Connection, draft: Draft, *, tenant: str, now: datetime, sending: bool
) -> Head:
    """Store a message, and the deliveries of its first send if it is to be sent.

    Conflict if the client's own id is taken.
    """
    head = _head(draft, tenant=tenant, now=now, sending=sending)
    at_once = connection.dialect.name == "postgresql"
    try:
        head.key = (_store_at_once if at_once else _store_by_table)(connection, head, draft)
    except IntegrityError as error:
        raise Conflict(f"the id {head.id!r} is taken; choose another one", field="id") from error
    return head


def _head(draft: Draft, *, tenant: str, now: datetime, sending: bool) -> Head:
    uid = new_id()
    scheduled = draft.send_time is not None and draft.send_time > now
    return Head(
        key=0,
        uid=uid,
        tenant=tenant,
        id=draft.id or uid,
        channel=draft.channel,
        priority=draft.priority,
        status=Status.IN_PROGRESS if sending and not scheduled else Status.INITIAL,
        send=int(sending),
        send_time=draft.send_time,
        receiver_count=len(draft.receivers),
        open_count=len(draft.receivers) if sending else 0,
        created_at=now,
        updated_at=now,
    )


def _store_at_once(connection: Connection, head: Head, draft: Draft) -> int:
    rows = [{"ordinal": ordinal, **one._asdict()} for ordinal, one in enumerate(draft.receivers)]
    values = {
        **head.columns(),
        "document": to_json(draft.document).decode(),
        "receivers": to_json(rows).decode(),
        "due_at": due_from(head, head.created_at),
        "event_id": new_id(),
    }
    key: int = connection.exec_driver_sql(_STORE, values).scalar_one()
    return key


def _store_by_table(connection: Connection, head: Head, draft: Draft) -> int:
    row = {name: value for name, value in head.columns().items() if name != "key"}
    head.key = connection.execute(insert(MESSAGE).returning(MESSAGE.c.key), row).scalar_one()
    connection.execute(insert(DOCUMENT), {"message_key": head.key, "document": draft.document})
    insert_receivers(connection, head, draft.receivers)
    if head.send:
        insert_deliveries(connection, head, now=head.created_at)
    happening = Happening(
        kind=Kind.CREATED,
        tenant=head.tenant,
        at=head.created_at,
        message_key=head.key,
        changed={"status": head.status},
    )
    record(connection, [happening])
    return head.key
