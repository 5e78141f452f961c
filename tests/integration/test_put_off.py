"""Deliveries that no provider may be asked for just now, and those beside them."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from threading import Thread
from typing import Any

from sqlalchemy import select, update

from channels.base import Channel, Outbound, Receiver
from channels.errors import ProviderRests
from channels.simulated import Simulating
from communication.clock import now
from communication.lanes import all_queues
from communication.model import ATTEMPT, DELIVERY, MESSAGE, State, Status
from communication.redis_client import open_redis
from communication.settings import Settings
from communication.store import Store
from tests.messages import email, rows, states, store_message
from tests.waiting import wait_until
from worker.batch import BatchRunner
from worker.deliver import Deliverer
from worker.main import Workers, open_queues, open_relay


@dataclass
class Resting:
    """A channel whose provider rests, as it says before a batch or only when it is asked."""

    rest: float = 0.0
    provider: str = "resting://"
    concurrency: int = 4
    asked: list[Outbound] = field(default_factory=list)

    def resting(self) -> float:
        return self.rest

    def address(self, receiver: Receiver) -> str:
        return str(receiver.email)

    def send(self, outbound: Outbound) -> str:
        self.asked.append(outbound)
        raise ProviderRests("it rests", retry_after=30)

    def close(self) -> None:
        """Nothing."""


def run(store: Store, channel: Channel) -> None:
    """One batch of all that is due."""
    with store.write() as connection:
        later = now() + timedelta(seconds=30)
        connection.execute(update(DELIVERY).values(lease="relay", due_at=later))
    settings = Settings(retry_base=3600)
    runner = BatchRunner(store, settings, Deliverer(channel, settings))
    runner.run([row.key for row in rows(store, DELIVERY)], "relay")
    runner.close()


def test_what_is_put_off_spends_no_try_and_leaves_no_attempt(store: Store) -> None:
    store_message(store, email(3, tryTimes=0))

    run(store, Resting())

    for delivery in rows(store, DELIVERY):
        assert (delivery.state, delivery.attempts, delivery.lease) == (State.PENDING, 0, None)
        assert delivery.reason == "it rests"
        assert timedelta(seconds=5) < delivery.due_at - now() <= timedelta(seconds=30)
    assert rows(store, ATTEMPT) == []
    assert rows(store, MESSAGE)[0].status == Status.IN_PROGRESS


def test_a_whole_batch_is_put_off_unread_while_the_provider_rests(store: Store) -> None:
    store_message(store, email(3))

    run(store, channel := Resting(rest=60))

    assert channel.asked == []
    assert states(store) == [State.PENDING] * 3
    for delivery in rows(store, DELIVERY):
        assert timedelta(seconds=35) < delivery.due_at - now() <= timedelta(seconds=60)
        assert (delivery.attempts, delivery.lost) == (0, 0)


def test_simulated_receivers_do_not_wait_for_a_provider(store: Store) -> None:
    message = email(2)
    message["receiver"].append({"email": "delivered@simulator.test"})
    store_message(store, message)

    run(store, Simulating(resting := Resting(rest=60), "email"))

    assert resting.asked == []
    assert sorted(states(store)) == [State.DELIVERED, State.PENDING, State.PENDING]


def test_what_is_put_off_is_cancelled_with_its_message(store: Store) -> None:
    store_message(store, email())
    with store.write() as connection:
        connection.execute(update(MESSAGE).values(status=Status.CANCELLED))

    run(store, Resting())

    assert states(store) == [State.CANCELLED]


@contextmanager
def working(store: Store, folder: Path, **settings: Any) -> Iterator[None]:
    """Relay and workers of the embedded mode."""
    chosen = Settings(data=folder, database_url=str(store.engine.url), **settings)
    queues, redis = open_queues(chosen), open_redis(chosen)
    workers, relay = (
        Workers(store, chosen, queues, all_queues(), redis),
        open_relay(store, chosen, queues, redis),
    )
    queues.emit_after("process_boot")
    workers.start()
    thread = Thread(target=relay.run)
    thread.start()
    try:
        yield
    finally:
        relay.stop()
        thread.join()
        workers.stop()


def test_a_dead_channel_does_not_hold_up_another(store: Store, tmp_path: Path) -> None:
    """Its provider takes connections and never answers; all its batches hang in their sends."""
    numbers = [{"phoneNumber": f"+4670{number:07d}"} for number in range(300)]
    sms = {"type": "SMS", "content": "Hi", "receiver": numbers}
    with socket.create_server(("127.0.0.1", 0)) as dead:
        port = dead.getsockname()[1]
        url = f"http://127.0.0.1:{port}?gateway=46elks&timeout=5m&concurrency=2"
        with working(store, tmp_path, sms_url=url, email_url="null://", batch=10, worker_threads=2):
            store_message(store, sms)
            wait_until(lambda: _count(store, "sms", State.SENDING) >= 20)
            store_message(store, email(300))
            wait_until(lambda: _count(store, "email", State.DELIVERED) == 300)
            dead.close()
    assert _count(store, "sms", State.DELIVERED) == 0


def _count(store: Store, channel: str, state: State) -> int:
    with store.read() as connection:
        asked = select(DELIVERY.c.key).where(
            DELIVERY.c.channel == channel, DELIVERY.c.state == state
        )
        return len(connection.execute(asked).all())
