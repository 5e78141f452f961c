"""Polled notifications: handed out to many pollers at once, and brought back to an empty Redis."""

import http.client
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import orjson

from bench.figure import Figure, Meter, processor_each
from bench.stack import Stack, connect

POLLERS = 50
WITHIN = 600.0
_SUBSCRIPTIONS = "/notification/v1/subscriptions"
_TYPE = "ServiceOrderCreationNotification"
_EVENTS = f"""
INSERT INTO event (position, id, tenant, kind, type, payload, at)
SELECT number, gen_random_uuid(), 'default', 'heard', '{_TYPE}', jsonb_build_object(
    'eventId', number, 'eventDate', '2026-11-21T08:00:00Z', 'eventType', '{_TYPE}',
    'event', jsonb_build_object('id', 'so-' || number, 'note', repeat('x', 500))), now()
FROM generate_series(1, %(events)s) number
"""


def measure_polling(stack: Stack, *, notifications: int) -> Figure:
    """Notifications handed out per second to POLLERS of one subscription, each of them once."""
    with _waiting(stack, notifications) as (meter, port, subscription):
        _left(port, subscription)
        began, before = time.monotonic(), meter.used()
        with ThreadPoolExecutor(POLLERS) as pool:
            polls = list(pool.map(lambda _: _poll(port, subscription), range(POLLERS)))
        took, used = time.monotonic() - began, meter.used()
    got = Counter(number for numbers, _ in polls for number in numbers)
    assert got == Counter(range(1, notifications + 1)), "not each was handed out once"
    requests = sum(count for _, count in polls)
    cost = {name: seconds - before[name] for name, seconds in used.items()}
    notes = f"{requests:,} requests in {took:.1f} s; {processor_each(cost, notifications)}"
    return Figure(rate=notifications / took, notes=notes)


def measure_bringing_back(stack: Stack, *, notifications: int) -> Figure:
    """Notifications per second that the first call after the loss of Redis brings back."""
    with _waiting(stack, notifications) as (meter, port, subscription):
        began, before = time.monotonic(), meter.used()
        assert _left(port, subscription) == notifications
        took, used = time.monotonic() - began, meter.used()
    cost = {name: seconds - before[name] for name, seconds in used.items()}
    return Figure(rate=notifications / took, notes=processor_each(cost, notifications))


@contextmanager
def _waiting(stack: Stack, notifications: int) -> Iterator[tuple[Meter, int, str]]:
    """A subscription for which so many notifications wait in the database, and not in Redis."""
    with stack.database() as database, stack.api(database) as (api, port):
        body = orjson.dumps({"event_type_ids": [_TYPE], "client_id": "bench"})
        subscription = str(_call(_connection(port), "POST", _SUBSCRIPTIONS, body)["id"])
        with connect(database) as connection:
            connection.execute(_EVENTS, {"events": notifications})
            connection.execute("UPDATE event_cursor SET position = %s", (notifications,))
            connection.execute("UPDATE subscription_queue SET queued = %s", (notifications,))
            connection.execute("VACUUM ANALYZE event")
        stack.redis.wipe()
        yield (
            Meter(API=[api], PostgreSQL=[stack.postgresql], Redis=[stack.redis]),
            port,
            subscription,
        )


def _left(port: int, subscription: str) -> int:
    shown = _call(_connection(port), "GET", f"{_SUBSCRIPTIONS}/{subscription}")
    return int(shown["subscription_status"]["number_of_remaining_notifications"])


def _poll(port: int, subscription: str) -> tuple[list[int], int]:
    """The numbers of what one poller got, and after how many requests there was no more."""
    connection, path = _connection(port), f"{_SUBSCRIPTIONS}/{subscription}/notifications"
    numbers: list[int] = []
    requests = 1
    while page := _call(connection, "GET", path)["results"]:
        numbers += [one["eventId"] for one in page]
        requests += 1
    connection.close()
    return numbers, requests


def _connection(port: int) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", port, timeout=WITHIN)


def _call(
    connection: http.client.HTTPConnection, method: str, path: str, body: bytes | None = None
) -> dict[str, Any]:
    connection.request(method, path, body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    content = answer.read()
    assert answer.status in (200, 201), content
    parsed: dict[str, Any] = orjson.loads(content)
    return parsed
