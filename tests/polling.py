"""Pollers for tests: subscriptions, and events that are told to them at once."""

from collections.abc import Sequence

import orjson
from redis import Redis

from communication.clock import now
from communication.events.telling import Teller
from communication.polling.handing_out import Polling, Reader
from communication.polling.subscriptions import NewSubscription, create_subscription
from communication.store import Store
from tests.events import SETTINGS, Calls
from worker.fan_out import FanOut
from worker.polled import PolledNotifications
from worker.sequencer import Sequencer

TTL = 3600.0
TELLER = Teller(public_url="https://tidings.example", receivers=100)


def polling(store: Store, redis: Redis, *, ttl: float = TTL) -> Polling:
    return Polling(store, redis, TELLER, ttl=ttl)


class Telling:
    """The sequencer and the fan-out to pollers, a step at a time."""

    def __init__(self, store: Store, redis: Redis, *, ttl: float = TTL) -> None:
        sink = PolledNotifications(redis, ttl=ttl)
        self.sequencer = Sequencer(store, SETTINGS, Calls(), [sink])
        self.fan_out = FanOut(store, SETTINGS, [sink])

    def run(self) -> None:
        """Tell all that is committed."""
        while self.sequencer.step():
            pass
        self.fan_out.run()


def subscribe(
    store: Store,
    poller: Polling,
    *,
    client: str = "poller",
    types: Sequence[str] = ("TestNotification",),
) -> Reader:
    new = NewSubscription(client_id=client, event_type_ids=list(types))
    with store.write() as connection:
        row = create_subscription(
            connection, new, tenant="default", subscribed_by=client, page_size=100, now=now()
        )
    poller.begin(row)
    return Reader(tenant="default", client="", subscription_id=row.id)


def numbers(bodies: Sequence[bytes]) -> list[int]:
    return [orjson.loads(one)["number"] for one in bodies]


def taken(poller: Polling, reader: Reader, size: int | None = None) -> list[int]:
    return numbers(poller.read(reader, size)[1])
