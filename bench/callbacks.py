"""Callbacks per second by Tidings: from due to recorded, to listeners that answer at once."""

import json
import time

from psycopg import Connection

from bench.deliver import is_relaying, meter_of
from bench.figure import Figure, processor_each
from bench.stack import Stack, connect
from communication.events.told import CREATION
from communication.hubs.callbacks import PRIORITY
from communication.lanes import CALLBACK_QUEUE
from tests.nginx import Nginx
from tests.waiting import wait_until

WITHIN = 300.0
LOOK_EVERY = 0.02
_HUBS = """
INSERT INTO hub (id, tenant, callback, query, fingerprint, secret, api_version, state,
    created_position, created_at)
SELECT 'hub' || number, 'default', %(url)s || '/' || number, '', 'hub' || number,
    'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'v1', 'active', 0, now()
FROM generate_series(1, %(hubs)s) number
"""
_BODIES = """
INSERT INTO callback_body (event_position, type, body, size, created_at)
SELECT number, %(type)s, replace(%(body)s, '$id', 'event' || number), length(%(body)s), now()
FROM generate_series(1, %(events)s) number
"""
_CALLBACKS = """
INSERT INTO callback (channel, priority, state, due_at, attempts, lost, hub_key, event_position,
    event_id, created_at)
SELECT key::text, %(priority)s, 'pending', now(), 0, 0, key, event_position,
    'event' || event_position, now()
FROM hub, callback_body
"""
_MESSAGE = {
    "id": "01a1fdc2-7d3c-7cc1-8b1d-6a0e7c0a5f11",
    "type": "Email",
    "status": "Initial",
    "priority": 4,
    "subject": "Hello $Name",
    "content": "Dear $Name, your parcel $Parcel is on its way. It weighs $Weight kg.",
    "receiver": [{"name": "Ann", "email": "ann@example.com"}],
}


def measure_callbacks(stack: Stack, *, callbacks: int, hubs: int) -> Figure:
    """The rate at which a relay and a worker clear `callbacks`, shared alike by `hubs`.

    All become due in one transaction, while the relay and the worker wait for work; the time
    ends when the last outcome is committed.
    """
    with (
        Nginx() as nginx,
        stack.database() as database,
        connect(database) as connection,
        stack.tidings(database, "work", "--queues", "callback") as worker,
        stack.tidings(database, "relay") as relay,
    ):
        _feed(connection, events=callbacks // hubs, hubs=hubs, url=nginx.url)
        stack.await_consumers(CALLBACK_QUEUE, worker)
        wait_until(lambda: is_relaying(connection, relay), within=60)
        connection.execute(_CALLBACKS, {"priority": PRIORITY})
        began = time.monotonic()
        meter = meter_of(stack, [relay, worker])
        wait_until(lambda: _is_all_told(connection), within=WITHIN, every=LOOK_EVERY)
        took, used = time.monotonic() - began, meter.used()
        _check_told(connection, callbacks // hubs * hubs)
    return Figure(rate=callbacks / took, notes=processor_each(used, callbacks))


def _feed(connection: Connection, *, events: int, hubs: int, url: str) -> None:
    event = {"eventType": CREATION, "eventTime": "2026-11-21T08:00:00.000Z", "eventId": "$id"}
    body = json.dumps({**event, "event": {"CommunicationMessage": [_MESSAGE]}})
    connection.execute(_HUBS, {"url": url, "hubs": hubs})
    connection.execute(_BODIES, {"type": CREATION, "body": body, "events": events})
    connection.execute("VACUUM ANALYZE")


def _is_all_told(connection: Connection) -> bool:
    row = connection.execute(
        "SELECT NOT EXISTS (SELECT FROM callback WHERE due_at IS NOT NULL)"
    ).fetchone()
    return row == (True,)


def _check_told(connection: Connection, callbacks: int) -> None:
    row = connection.execute(
        "SELECT count(*) FROM callback WHERE state = 'delivered' AND attempts = 1 AND status = 204"
    ).fetchone()
    assert row == (callbacks,), f"of {callbacks} callbacks {row} were taken at the first try"
