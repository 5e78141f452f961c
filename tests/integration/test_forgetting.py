"""What was on its way when a person is forgotten, on every engine."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as StillWaiting
from contextlib import closing

import orjson
import pytest
from click.testing import CliRunner
from redis import Redis
from sqlalchemy import insert

from communication.clock import now
from communication.events.event_model import EVENT, HEARD_EVENT, STAGED_EVENT
from communication.events.sequencing import FAN_OUT_LOCK, SEQUENCER_LOCK, lock_alone
from communication.events.told import CREATION, DELETION, UPDATE
from communication.hubs.listener_model import CALLBACK_BODY
from communication.model import DOCUMENT, IDEMPOTENCY, RECEIVER
from communication.polling.handing_out import Polling, Reader
from communication.polling.queue import PollQueues
from communication.privacy.erasing import erase
from communication.redis_client import open_redis
from communication.settings import Settings
from communication.store import Store, open_store
from tests.api import MESSAGES, client
from tests.events import SETTINGS, Calls
from tests.messages import email, rows, store_message
from tests.polling import TTL, Telling, polling, subscribe
from tidings.cli import main
from worker.fan_out import FanOut
from worker.hubs.sink import HubSink
from worker.sequencer import Sequencer

ANN = "ann@example.com"


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    with open_redis(Settings(redis_url=redis_url)) as opened:
        yield opened


def write_to(store: Store, *ids: str) -> None:
    """Messages; those whose id begins with `a` are Ann's."""
    for one in ids:
        to = ANN if one.startswith("a") else "ben@example.com"
        body = email(id=one, content=f"Dear {to}", receiver=[{"email": to}])
        store_message(store, body, sending=False)


def read(poller: Polling, reader: Reader, size: int | None = None) -> list[str]:
    """The ids of the messages of the next notifications, none of which names Ann."""
    bodies = poller.read(reader, size)[1]
    assert not [body for body in bodies if ANN.encode() in body]
    return [orjson.loads(one)["event"]["CommunicationMessage"][0]["id"] for one in bodies]


def names_ann(redis: Redis) -> bool:
    members = [one for key in redis.scan_iter() for one in redis.zrange(key, 0, -1)]
    return any(ANN.encode() in one for one in members)


@pytest.mark.parametrize("reachable", [True, False])
def test_pollers_get_all_that_is_left_once_and_without_the_person(
    store: Store, redis: Redis, *, reachable: bool
) -> None:
    poller, telling = polling(store, redis), Telling(store, redis)
    reader = subscribe(store, poller, types=[CREATION])
    write_to(store, "b0", "b1", "a2", "b3", "a4")
    telling.run()
    assert read(poller, reader, 2) == ["b0", "b1"]
    write_to(store, "b5")
    telling.run()
    assert names_ann(redis)

    with store.write() as connection:
        erased = erase(connection, ANN)
    if reachable:
        for queue in erased.queues:
            PollQueues(redis, ttl=TTL).drop(queue)
        assert not names_ann(redis)

    assert poller.status(reader)[1] == 4
    write_to(store, "b6")
    telling.run()
    assert read(poller, reader, 3) == ["a2", "b3", "a4"]
    assert read(poller, reader) == ["b5", "b6"]
    assert read(poller, reader) == []


def test_pollers_of_other_tenants_keep_their_queues(store: Store, redis: Redis) -> None:
    poller, telling = polling(store, redis), Telling(store, redis)
    reader = subscribe(store, poller, types=[CREATION])
    write_to(store, "b0")
    telling.run()
    with store.write() as connection:
        assert erase(connection, ANN, "other").queues == []
        assert erase(connection, ANN, "default").queues == [reader.subscription_id]
        assert erase(connection, ANN).queues == [f"{reader.subscription_id}:1"]
    assert read(poller, reader) == ["b0"]


def test_what_hubs_are_told_of_loses_the_person(store: Store) -> None:
    api = client(store, callback_allow="127.0.0.0/8")
    query = f"eventType=FAULT,{CREATION},{UPDATE},{DELETION}"
    hub = {"callback": "http://127.0.0.1:9/", "query": query}
    assert api.simulate_post("/hub", json=hub).status_code == 201
    fault = {
        "entity_id": ANN.upper(),
        "event_payload": {"operation": "CREATE"},
        "event_source": "ORDER",
        "event_type": "FAULT",
    }
    collected = api.simulate_post("/api/v1/events", json=fault, headers={"X-TWC-Tenant": "default"})
    assert collected.status_code == 201
    write_to(store, "a0")
    patch = {"receiver": [{"email": ANN}, {"email": "ben@example.com"}]}
    assert api.simulate_patch(f"{MESSAGES}/a0", json=patch).status_code == 201
    sinks = [HubSink(["FAULT", CREATION, UPDATE, DELETION])]
    Sequencer(store, SETTINGS, Calls(), sinks).step()
    FanOut(store, SETTINGS, sinks).run()
    assert len(rows(store, CALLBACK_BODY)) == 3

    with store.write() as connection:
        erase(connection, ANN)

    for table in (CALLBACK_BODY, EVENT):
        assert ANN not in repr(rows(store, table)).lower()


@pytest.mark.parametrize("lock", [FAN_OUT_LOCK, SEQUENCER_LOCK])
def test_what_is_on_its_way_has_arrived_before_it_is_looked_for(
    migrated_postgresql_url: str, lock: int
) -> None:
    with closing(open_store(migrated_postgresql_url)) as store, ThreadPoolExecutor(1) as pool:

        def forget() -> None:
            with store.write() as connection:
                erase(connection, ANN)

        with store.write() as telling:
            assert lock_alone(telling, lock)
            forgetting = pool.submit(forget)
            with pytest.raises(StillWaiting):
                forgetting.result(timeout=0.3)
            write_to(store, "a-late")
            assert ANN in repr(rows(store, RECEIVER)).lower()
        forgetting.result(timeout=120)
        for table in (RECEIVER, DOCUMENT, EVENT, STAGED_EVENT):
            assert ANN not in repr(rows(store, table)).lower()


def test_more_than_a_thousand_of_a_persons_rows_are_erased(store: Store) -> None:
    receivers = [{"email": ANN, "id": f"r{number}"} for number in range(1_100)]
    answer = client(store).simulate_post(
        MESSAGES,
        json={"type": "Email", "subject": ANN, "content": ANN, "receiver": receivers},
        headers={"Idempotency-Key": "k"},
    )
    assert answer.status_code == 201
    with store.write() as connection:
        kind = insert(HEARD_EVENT).values(tenant="default", hash="", created_at=now())
        bodies = [{"event_id": f"h{number}", "body": {"to": ANN}} for number in range(1_100)]
        connection.execute(kind, bodies)

        erased = erase(connection, ANN)

    assert (erased.receivers, erased.messages, erased.bodies) == (1_100, 1, 1_101)
    for table in (RECEIVER, DOCUMENT, STAGED_EVENT, HEARD_EVENT, IDEMPOTENCY):
        assert ANN not in repr(rows(store, table)).lower()


def test_without_redis_a_person_is_forgotten_all_the_same(
    migrated_sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIDINGS_DATABASE_URL", migrated_sqlite_url)
    monkeypatch.setenv("TIDINGS_REDIS_URL", "redis://127.0.0.1:1/0")
    with closing(open_store(migrated_sqlite_url)) as store:
        write_to(store, "a0")
        subscribe(store, polling(store, open_redis(Settings(redis_url="memory://"))))
        result = CliRunner().invoke(main, ["forget", "--receiver", ANN])
        assert (result.exit_code, "erased in 1 receivers" in result.stdout) == (0, True)
        assert "which nobody reads any more" in result.stderr
