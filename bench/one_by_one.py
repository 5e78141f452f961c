"""What a task of a one-task-per-message pipeline does: the same work as Tidings' for one delivery.

One transaction of plain statements over the same tables, in the form that costs SQLAlchemy
least; rendered and sent by the same functions.
"""

import os
from functools import cache
from typing import Any

from sqlalchemy import Connection, Engine, Row, create_engine

from channels.base import Receiver
from channels.null import NullChannel
from communication.clock import now, to_wire
from communication.encoding import to_json
from communication.ids import new_id
from worker.render import Job, characteristics_of, render

DATABASE = "BENCH_DATABASE_URL"
"""The environment variable that tells the pipelines' processes of their database."""

_LOAD = """
SELECT delivery.key, delivery.message_key, delivery.send, delivery.ordinal, delivery.attempts,
    delivery.channel, delivery.priority, message.uid, message.id, message.tenant,
    document.document, receiver.name, receiver.email, receiver.phone, receiver.app_user_id,
    receiver.attributes
FROM delivery
JOIN communication_message message ON message.key = delivery.message_key
JOIN message_document document ON document.message_key = delivery.message_key
JOIN receiver ON receiver.key = delivery.receiver_key
WHERE delivery.key = %(key)s AND delivery.state = 'pending'
"""
_RECORD = """
UPDATE delivery SET state = 'delivered', due_at = NULL, attempts = attempts + 1,
    reference = %(reference)s, ended_at = %(at)s
WHERE key = %(key)s AND state = 'pending'
"""
_LOG = """
INSERT INTO attempt (delivery_key, number, provider, outcome, took_ms, at)
VALUES (%(key)s, %(number)s, %(provider)s, 'delivered', 0, %(at)s)
"""
_COUNT = """
UPDATE communication_message
SET open_count = open_count - 1, delivered_count = delivered_count + 1, updated_at = %(at)s,
    status = CASE WHEN open_count = 1 THEN 'Completed' ELSE status END,
    send_time_complete = CASE WHEN open_count = 1 THEN %(at)s END
WHERE key = %(message_key)s RETURNING open_count
"""
_TELL_ENDED = """
INSERT INTO staged_event (id, tenant, kind, message_key, delivery_key, at)
VALUES (%(id)s, %(tenant)s, 'ended', %(message_key)s, %(key)s, %(at)s)
"""
_TELL_CHANGED = """
INSERT INTO staged_event (id, tenant, kind, message_key, changed, at)
VALUES (%(id)s, %(tenant)s, 'changed', %(message_key)s, %(changed)s, %(at)s)
"""


def deliver_one(key: int) -> None:
    """Load, render, send and record the delivery; nothing if it is not pending any more."""
    with _engine().begin() as connection:
        row = connection.exec_driver_sql(_LOAD, {"key": key}).one_or_none()
        if row is not None:
            _record(connection, row, _send(row))


def _send(row: Row[Any]) -> str:
    job = Job(
        delivery_key=row.key,
        message_key=row.message_key,
        message_uid=row.uid,
        message_id=row.id,
        send=row.send,
        ordinal=row.ordinal,
        attempts=row.attempts,
        channel=row.channel,
        priority=row.priority,
        document=row.document,
        receiver=Receiver(
            name=row.name, email=row.email, phone=row.phone, app_user_id=row.app_user_id
        ),
        characteristics=characteristics_of(
            row.document.get("CommunicationRequestCharacteristic"),
            (row.attributes or {}).get("characteristic"),
        ),
    )
    channel = _channel()
    return channel.send(render(job, address=channel.address(job.receiver), attachments=()))


def _record(connection: Connection, row: Row[Any], reference: str) -> None:
    at = now()
    values = {
        "key": row.key,
        "message_key": row.message_key,
        "tenant": row.tenant,
        "number": row.attempts + 1,
        "provider": NullChannel.provider,
        "reference": reference,
        "at": at,
    }
    if not connection.exec_driver_sql(_RECORD, values).rowcount:
        return
    connection.exec_driver_sql(_LOG, values)
    left = connection.exec_driver_sql(_COUNT, values).scalar_one()
    connection.exec_driver_sql(_TELL_ENDED, {**values, "id": new_id()})
    if left == 0:
        changed = to_json({"status": "Completed", "sendTimeComplete": to_wire(at)}).decode()
        values |= {"id": new_id(), "changed": changed}
        connection.exec_driver_sql(_TELL_CHANGED, values)


@cache
def _engine() -> Engine:
    return create_engine(os.environ[DATABASE], pool_size=16)


@cache
def _channel() -> NullChannel:
    return NullChannel("email")
