"""Stored messages and their deliveries, written by PostgreSQL itself."""

import json
from collections.abc import Mapping

from psycopg import Connection

_COMMON = {
    "type": "Email",
    "sender": {"name": "Parcels", "email": "parcels@example.com"},
    "priority": 4,
    "tryTimes": 3,
    "logFlag": True,
}
INLINE = _COMMON | {
    "subject": "Hello $Name",
    "content": "Dear $Name, your parcel $Parcel is on its way. It weighs $Weight kg.",
    "CommunicationRequestCharacteristic": [
        {"name": "Parcel", "value": "P-2026-000123"},
        {"name": "Weight", "value": "2.5"},
    ],
}
TEXT = {
    "type": "SMS",
    "content": "Dear $Name, your parcel is on its way.",
    "priority": 4,
    "tryTimes": 3,
    "logFlag": True,
}
TEMPLATED = _COMMON | {
    "template": "delivery-progress",
    "CommunicationRequestCharacteristic": [
        {"name": "orderNumber", "value": "P-2026-000123"},
        {"name": "status", "value": "shipped"},
        {"name": "expectedDate", "value": "2026-11-24"},
        {"name": "trackingUrl", "value": "https://www.example.com/track/P-2026-000123"},
    ],
}
"""Subject, preheader, HTML in a layout, and text; every receiver has a name of its own."""
_MESSAGES = """
INSERT INTO communication_message (
    uid, tenant, id, channel, priority, status, send, receiver_count, open_count, delivered_count,
    failed_count, cancelled_count, created_at, updated_at)
SELECT gen_random_uuid(), 'default', %(channel)s || number, %(channel)s, 4, 'InProgress', 1,
    %(each)s, %(each)s, 0, 0, 0, now(), now()
FROM generate_series(1, %(messages)s) number
"""
_DOCUMENTS = """
INSERT INTO message_document (message_key, document)
SELECT key, %(document)s::jsonb FROM communication_message WHERE channel = %(channel)s
"""
_RECEIVERS = """
INSERT INTO receiver (message_key, ordinal, name, email, phone, attributes)
SELECT key, number, 'Ann ' || number, 'ann.' || key || '.' || number || '@example.com',
    '+4670' || lpad(key::text, 7, '0'),
    jsonb_build_object('characteristic', jsonb_build_array(
        jsonb_build_object('name', 'Name', 'value', 'Ann ' || key)))
FROM communication_message, generate_series(0, receiver_count - 1) number
WHERE channel = %(channel)s
"""
_DELIVERIES = """
INSERT INTO delivery (
    message_key, receiver_key, ordinal, send, channel, priority, state, due_at, attempts, lost,
    created_at)
SELECT message_key, receiver.key, ordinal, 1, channel, 4, 'pending', now(), 0, 0, now()
FROM receiver JOIN communication_message message ON message.key = message_key
"""
_RECORDED = """
SELECT (SELECT count(*) FROM delivery WHERE state = 'delivered' AND due_at IS NULL),
    (SELECT count(*) FROM attempt WHERE outcome IN ('delivered', 'sent')),
    (SELECT count(*) FROM event WHERE kind = 'ended')
        + (SELECT count(*) FROM staged_event WHERE kind = 'ended'),
    (SELECT sum(receiver_count) FROM communication_message
        WHERE status = 'Completed' AND open_count = 0 AND delivered_count = receiver_count)
"""


def feed_messages(
    connection: Connection,
    *,
    messages: int,
    each: int,
    document: Mapping[str, object] = INLINE,
    channel: str = "email",
) -> None:
    """Messages of one channel in progress, with `each` receivers each; nothing is due yet."""
    connection.execute(_MESSAGES, {"messages": messages, "each": each, "channel": channel})
    connection.execute(_DOCUMENTS, {"document": json.dumps(document), "channel": channel})
    connection.execute(_RECEIVERS, {"channel": channel})
    connection.execute("VACUUM ANALYZE")


def feed_deliveries(connection: Connection) -> None:
    """A delivery to each receiver; they become due all at once."""
    connection.execute(_DELIVERIES)


def is_all_recorded(connection: Connection) -> bool:
    """Whether no delivery is open. A short look, however many there are."""
    row = connection.execute(
        "SELECT NOT EXISTS (SELECT FROM delivery WHERE due_at IS NOT NULL)"
    ).fetchone()
    return row == (True,)


def check_recorded(connection: Connection, deliveries: int) -> None:
    """AssertionError unless all is written: deliveries, attempts, events, and the messages' end."""
    row = connection.execute(_RECORDED).fetchone()
    assert row == (deliveries,) * 4, f"of {deliveries} deliveries there are recorded: {row}"
