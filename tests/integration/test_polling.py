"""Notifications are handed out once each, and never lost with Redis, on every engine."""

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import orjson
import pytest
from redis import Redis
from sqlalchemy import delete, update

from communication import polling as polling_module
from communication.clock import now
from communication.errors import NotFound, QueuesUnavailable, ServiceUnavailable
from communication.event_model import EVENT, EVENT_CURSOR
from communication.listener_model import SUBSCRIPTION, SUBSCRIPTION_QUEUE
from communication.polling import Polling, Reader
from communication.redis_client import open_redis
from communication.settings import Settings
from communication.store import Store, open_store
from communication.subscriptions import NewSubscription, create_subscription
from tests.events import SETTINGS, hear
from tests.messages import rows
from tests.polling import TTL, Telling, polling
from tests.processes import free_port
from worker.fan_out import FanOut
from worker.polled import PolledNotifications


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    with open_redis(Settings(redis_url=redis_url)) as opened:
        yield opened


def subscribe(store: Store, poller: Polling, *, client: str = "poller") -> Reader:
    new = NewSubscription(client_id=client, event_type_ids=["TestNotification"])
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


@pytest.mark.parametrize("chunk", [3, 200])
def test_an_emptied_redis_is_refilled_exactly(
    store: Store, redis: Redis, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polling_module, "CHUNK", chunk)
    poller, telling = polling(store, redis), Telling(store, redis)
    reader = subscribe(store, poller)
    hear(store, *range(10))
    telling.run()
    assert taken(poller, reader, 4) == [0, 1, 2, 3]

    redis.flushall()

    assert poller.status(reader)[1] == 6
    redis.flushall()
    hear(store, 10, 11)
    telling.run()
    assert taken(poller, reader, 5) == [4, 5, 6, 7, 8]
    redis.flushall()
    assert taken(poller, reader) == [9, 10, 11]
    redis.flushall()
    assert (taken(poller, reader), poller.status(reader)[1]) == ([], 0)


def test_a_redis_that_has_lost_its_last_part_is_mended(store: Store, redis: Redis) -> None:
    poller, telling = polling(store, redis), Telling(store, redis)
    reader = subscribe(store, poller)
    hear(store, 1, 2)
    telling.run()
    (key,) = redis.keys("*")
    saved = redis.dump(key)
    hear(store, 3, 4)
    telling.run()
    assert taken(poller, reader, 3) == [1, 2, 3]

    # As after a restart of Redis from an older dump.
    assert saved is not None
    redis.restore(key, 0, saved, replace=True)
    hear(store, 5)
    telling.run()

    assert poller.status(reader)[1] == 2
    assert taken(poller, reader) == [4, 5]


def test_redis_emptied_while_it_is_filled_loses_nothing(store: Store, redis: Redis) -> None:
    poller, telling = polling(store, redis), Telling(store, redis)
    reader = subscribe(store, poller)

    def fill() -> None:
        for start in range(0, 100, 5):
            hear(store, *range(start, start + 5))
            telling.run()

    got: list[int] = []
    with ThreadPoolExecutor(1) as pool:
        filling = pool.submit(fill)
        while not filling.done():
            redis.flushall()
            got += _persistently(poller, reader)
        filling.result()
    while page := _persistently(poller, reader):
        got += page

    assert got == list(range(100))


def _persistently(poller: Polling, reader: Reader) -> list[int]:
    """A page, read again when Redis was emptied just as it was refilled."""
    while True:
        try:
            return taken(poller, reader, 3)
        except QueuesUnavailable:
            continue


def test_the_fan_out_goes_on_without_redis_and_nothing_is_lost(store: Store, redis: Redis) -> None:
    poller = polling(store, redis)
    reader = subscribe(store, poller)
    hear(store, 1)
    Telling(store, redis).run()
    away = open_redis(Settings(redis_url=f"redis://127.0.0.1:{free_port()}/0"))
    hear(store, 2, 3)
    Telling(store, away).run()
    with pytest.raises(QueuesUnavailable):
        polling(store, away).read(reader)
    away.close()

    hear(store, 4)
    Telling(store, redis).run()

    assert poller.status(reader)[1] == 4
    assert taken(poller, reader) == [1, 2, 3, 4]


def test_a_redis_of_another_process_misses_nothing(store: Store) -> None:
    with (
        open_redis(Settings(redis_url="memory://")) as ours,
        open_redis(Settings(redis_url="memory://")) as theirs,
    ):
        poller, telling = polling(store, ours), Telling(store, theirs)
        reader = subscribe(store, poller)
        hear(store, 1, 2)
        telling.run()
        assert taken(poller, reader, 1) == [1]
        hear(store, 3)
        telling.run()
        assert taken(poller, reader) == [2, 3]
        assert taken(polling(store, theirs), reader) == []


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


def test_refilling_passes_over_what_expired_long_ago(store: Store, redis: Redis) -> None:
    poller, telling = polling(store, redis), Telling(store, redis)
    reader = subscribe(store, poller)
    hear(store, *range(1500))
    telling.sequencer.step()
    with store.write() as connection:
        past = now() - timedelta(seconds=TTL, hours=1)
        connection.execute(update(EVENT).where(EVENT.c.position <= 1000).values(at=past))
        connection.execute(update(EVENT_CURSOR).values(position=1500))
        connection.execute(update(SUBSCRIPTION_QUEUE).values(queued=1500))

    assert poller.status(reader)[1] == 500
    assert taken(poller, reader, 2) == [1000, 1001]
    redis.flushall()
    with store.write() as connection:
        connection.execute(delete(EVENT))
    assert taken(poller, reader) == []


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
