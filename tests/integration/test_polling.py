"""Notifications are handed out once each, whoever asks, on every engine."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from redis import Redis
from sqlalchemy import update

from communication.clock import now
from communication.errors import NotFound, ServiceUnavailable
from communication.events.event_model import EVENT
from communication.hubs.listener_model import SUBSCRIPTION, SUBSCRIPTION_QUEUE
from communication.polling import handing_out as polling_module
from communication.polling.handing_out import Reader
from communication.redis_client import open_redis
from communication.settings import Settings
from communication.store import Store, open_store
from tests.events import SETTINGS, hear
from tests.messages import rows
from tests.polling import TTL, Telling, polling, subscribe, taken
from worker.fan_out import FanOut
from worker.polled import PolledNotifications


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    with open_redis(Settings(redis_url=redis_url)) as opened:
        yield opened


def test_many_pollers_get_each_notification_once(store: Store, redis: Redis) -> None:
    poller, telling = polling(store, redis), Telling(store, redis)
    reader = subscribe(store, poller)
    hear(store, *range(1000))

    def poll(_: int) -> list[int]:
        got: list[int] = []
        while page := taken(poller, reader, 7):
            got += page
        return got

    with ThreadPoolExecutor(9) as pool:
        pages = pool.map(poll, range(8))
        telling.run()
        got = [number for page in pages for number in page]
    got += poll(0)

    assert Counter(got) == Counter(range(1000))


def test_a_batch_that_was_not_counted_is_told_once(store: Store, redis: Redis) -> None:
    class Dying(PolledNotifications):
        def put(self, connection: object, told: object) -> None:
            super().put(connection, told)  # type: ignore[arg-type]  # whatever it was given
            raise ConnectionError

    poller, telling = polling(store, redis), Telling(store, redis)
    reader = subscribe(store, poller)
    hear(store, 1, 2, 3)
    telling.sequencer.step()
    with pytest.raises(ConnectionError):
        FanOut(store, SETTINGS, [Dying(redis, ttl=TTL)]).run()

    assert taken(poller, reader, 2) == [1, 2]
    telling.run()
    assert (poller.status(reader)[1], taken(poller, reader)) == (1, [3])
    assert rows(store, SUBSCRIPTION_QUEUE)[0].queued == 3


def test_what_expires_is_neither_counted_nor_handed_out(store: Store, redis: Redis) -> None:
    poller, telling = polling(store, redis), Telling(store, redis)
    reader = subscribe(store, poller)
    hear(store, *range(6))
    telling.sequencer.step()
    with store.write() as connection:
        past = now() - timedelta(seconds=TTL + 1)
        connection.execute(update(EVENT).where(EVENT.c.position.in_((1, 4))).values(at=past))
    telling.run()

    assert poller.status(reader)[1] == 4
    redis.flushall()
    assert poller.status(reader)[1] == 4
    assert taken(poller, reader) == [1, 2, 4, 5]


def test_an_answer_is_bounded_in_bytes(
    store: Store, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polling_module, "MOST_BYTES", 30)
    poller, telling = polling(store, redis), Telling(store, redis)
    reader = subscribe(store, poller)
    hear(store, 1, 2, 3, 4)
    telling.run()
    assert [taken(poller, reader) for _ in range(3)] == [[1, 2], [3, 4], []]


def test_a_subscription_is_shown_to_its_own_client_alone(store: Store, redis: Redis) -> None:
    poller, telling = polling(store, redis), Telling(store, redis)
    reader = subscribe(store, poller, client="mine")
    hear(store, 1)
    telling.run()
    others = [
        Reader(tenant="default", client="other", subscription_id=reader.subscription_id),
        Reader(tenant="other", client="mine", subscription_id=reader.subscription_id),
    ]
    for other in others:
        with pytest.raises(NotFound):
            poller.read(other)
        with pytest.raises(NotFound):
            poller.status(other)
    mine = Reader(tenant="default", client="mine", subscription_id=reader.subscription_id)
    assert taken(poller, mine) == [1]


def test_a_read_does_not_wait_for_others_for_ever(
    migrated_postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polling_module, "PATIENCE", timedelta(milliseconds=50))
    store = open_store(migrated_postgresql_url)
    with open_redis(Settings(redis_url="memory://")) as redis:
        poller = polling(store, redis)
        reader = subscribe(store, poller)
        with store.write() as connection:
            connection.execute(update(SUBSCRIPTION).values(notification_page_size=1))
            with pytest.raises(ServiceUnavailable):
                poller.read(reader)
        assert taken(poller, reader) == []
    store.close()
