"""The relay over both databases, with a broker that only remembers."""

from collections import Counter, defaultdict
from datetime import timedelta
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import insert, update

from communication.clock import now
from communication.errors import BrokerUnavailable
from communication.lanes import queue_name
from communication.model import DELIVERY, IDEMPOTENCY, State
from communication.settings import Settings
from communication.store import Store
from tests.messages import email, rows, states, store_message
from tests.waiting import wait_until
from worker.relay import Relay

SETTINGS = Settings(batch=10, window=3)


class Remembered:
    """A broker that no worker reads from."""

    def __init__(self) -> None:
        self.queues: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.away_after: int | None = None

    def depth(self, queue: str) -> int:
        return len(self.queues[queue])

    def publish(self, queue: str, actor: str, **arguments: Any) -> None:
        if self.away_after is not None and self.published() >= self.away_after:
            raise BrokerUnavailable("gone")
        self.queues[queue].append({"actor": actor, **arguments})

    def keep_alive(self) -> None:
        pass

    def published(self) -> int:
        return sum(map(len, self.queues.values()))

    def keys(self, queue: str) -> list[int]:
        return [key for message in self.queues[queue] for key in message["keys"]]


@pytest.fixture
def broker() -> Remembered:
    return Remembered()


@pytest.fixture
def relay(store: Store, broker: Remembered) -> Relay:
    return Relay(store, SETTINGS, broker)


def test_each_lane_goes_to_its_own_queue(store: Store, relay: Relay, broker: Remembered) -> None:
    for priority in (0, 4, 9):
        store_message(store, email(priority=priority))

    assert relay.step()

    sent = {queue: len(messages) for queue, messages in broker.queues.items() if messages}
    assert sent == {
        queue_name("deliver", "email", lane): 1 for lane in ("urgent", "normal", "bulk")
    }
    assert not relay.step()


def test_a_lane_holds_at_most_its_window_and_the_rest_waits_in_the_database(
    store: Store, relay: Relay, broker: Remembered
) -> None:
    store_message(store, email(100, priority=9))
    queue = queue_name("deliver", "email", "bulk")

    while relay.step():
        pass

    assert [len(message["keys"]) for message in broker.queues[queue]] == [10, 10, 10]
    assert Counter(row.lease is None for row in rows(store, DELIVERY)) == {True: 70, False: 30}
    broker.queues[queue].pop()
    assert relay.step()
    assert len(broker.queues[queue]) == 3


def test_urgent_work_passes_a_full_lane(store: Store, relay: Relay, broker: Remembered) -> None:
    store_message(store, email(100, priority=9))
    while relay.step():
        pass
    store_message(store, email(priority=0))

    relay.step()

    assert len(broker.keys(queue_name("deliver", "email", "urgent"))) == 1


def test_what_can_not_be_published_is_given_back_at_once(
    store: Store, relay: Relay, broker: Remembered
) -> None:
    store_message(store, email(30))
    broker.away_after = 1

    with pytest.raises(BrokerUnavailable):
        relay.step()

    assert Counter(row.lease is None for row in rows(store, DELIVERY)) == {True: 20, False: 10}
    broker.away_after = None
    assert relay.step()
    assert sorted(broker.keys(queue_name("deliver", "email", "normal"))) == [
        row.key for row in rows(store, DELIVERY)
    ]


def test_what_a_wiped_broker_forgot_is_published_again_when_its_lease_ends(
    store: Store, relay: Relay, broker: Remembered
) -> None:
    store_message(store, email())
    relay.step()
    broker.queues.clear()
    assert not relay.step()
    with store.write() as connection:
        connection.execute(update(DELIVERY).values(due_at=now()))

    assert relay.step()

    assert broker.published() == 1


def test_what_a_worker_vanished_with_goes_alone(
    store: Store, relay: Relay, broker: Remembered
) -> None:
    store_message(store, email(5))
    suspects = [row.key for row in rows(store, DELIVERY)][:2]
    with store.write() as connection:
        connection.execute(
            update(DELIVERY)
            .where(DELIVERY.c.key.in_(suspects))
            .values(state=State.SENDING, lease="vanished", due_at=now())
        )

    relay.step()

    batches = [m["keys"] for m in broker.queues[queue_name("deliver", "email", "normal")]]
    assert sorted(map(len, batches)) == [1, 1, 3]
    assert sorted(key for batch in batches if len(batch) == 1 for key in batch) == suspects


def test_a_delivery_that_took_three_workers_with_it_is_failed(
    store: Store, relay: Relay, broker: Remembered
) -> None:
    store_message(store, email())
    with store.write() as connection:
        connection.execute(
            update(DELIVERY).values(state=State.SENDING, lease="x", due_at=now(), lost=2)
        )

    relay.step()

    assert broker.published() == 0
    assert states(store) == [State.FAILED]
    assert rows(store, DELIVERY)[0].reason == "the worker vanished 3 times while sending it"


def test_old_idempotency_keys_are_forgotten(store: Store, broker: Remembered) -> None:
    with store.write() as connection:
        for age in (1, 25):
            connection.execute(
                insert(IDEMPOTENCY).values(
                    tenant="default",
                    client="",
                    route="/",
                    idempotency_key=str(age),
                    request_hash="",
                    status="200",
                    headers={},
                    body="",
                    created_at=now() - timedelta(hours=age),
                )
            )

    relay = Relay(store, SETTINGS, broker)
    relay.tidy()

    assert [row.idempotency_key for row in rows(store, IDEMPOTENCY)] == ["1"]


def test_a_relay_that_stumbles_goes_on(
    store: Store, relay: Relay, broker: Remembered, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_message(store, email())
    monkeypatch.setattr("worker.stepping.PAUSE", 0.01)
    stumbles = iter([ZeroDivisionError("once")])
    depth = broker.depth

    def stumbling(queue: str) -> int:
        for error in stumbles:
            raise error
        return depth(queue)

    monkeypatch.setattr(broker, "depth", stumbling)
    running = Thread(target=relay.run)
    running.start()

    wait_until(lambda: broker.published() == 1)

    relay.stop()
    running.join(120)
    assert not running.is_alive()
