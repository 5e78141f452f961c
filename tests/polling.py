"""Pollers for tests: subscriptions, and events that are told to them at once."""

from redis import Redis

from communication.poll_queue import PollQueues
from communication.polling import Polling
from communication.store import Store
from communication.telling import Teller
from tests.events import SETTINGS, Calls
from worker.fan_out import FanOut
from worker.polled import PolledNotifications
from worker.sequencer import Sequencer

TTL = 3600.0
TELLER = Teller(public_url="https://tidings.example", receivers=100)


def polling(store: Store, redis: Redis, *, ttl: float = TTL) -> Polling:
    return Polling(store, redis, TELLER, ttl=ttl)


def queues(redis: Redis, *, ttl: float = TTL) -> PollQueues:
    return PollQueues(redis, ttl=ttl)


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
