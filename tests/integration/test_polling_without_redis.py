"""Notifications are never lost with Redis, on every engine."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import orjson
import pytest
from redis import Redis
from sqlalchemy import delete, update

from communication.clock import now
from communication.errors import QueuesUnavailable
from communication.events.event_model import EVENT, EVENT_CURSOR
from communication.events.told import CREATION
from communication.hubs.listener_model import SUBSCRIPTION_QUEUE
from communication.model import MESSAGE
from communication.polling import handing_out as polling_module
from communication.polling.handing_out import Polling, Reader
from communication.privacy.purging import purge
from communication.redis_client import open_redis
from communication.settings import Settings
from communication.store import Store
from tests.events import hear
from tests.messages import email, store_message
from tests.polling import TTL, Telling, polling, subscribe, taken
from tests.processes import free_port


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    with open_redis(Settings(redis_url=redis_url)) as opened:
        yield opened


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


def test_what_became_of_a_purged_message_is_passed_over(
    store: Store, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polling_module, "CHUNK", 2)
    poller, telling = polling(store, redis), Telling(store, redis)
    reader = subscribe(store, poller, types=[CREATION])
    kept = [store_message(store, email()).id for _ in range(6)][4:]
    telling.run()
    with store.write() as connection:
        old = MESSAGE.c.id.not_in(kept)
        connection.execute(update(MESSAGE).where(old).values(updated_at=now() - timedelta(days=9)))
        connection.execute(update(MESSAGE).values(open_count=0, status="Completed"))
    purge(store, now() - timedelta(days=1))
    redis.flushall()

    bodies = [orjson.loads(one) for one in poller.read(reader)[1]]
    assert [one["event"]["CommunicationMessage"][0]["id"] for one in bodies] == kept
