"""Hubs served over both databases, by a worker and a real listener."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update
from standardwebhooks import Webhook

from communication import callbacks
from communication.clock import now
from communication.errors import ServiceUnavailable
from communication.http_client import Guard, HttpClient
from communication.hubs import NewHub, register, rotate_secret
from communication.listener_model import CALLBACK, CALLBACK_ATTEMPT, CALLBACK_BODY, HUB
from communication.model import State
from communication.settings import Settings
from communication.store import Store
from communication.told import UPDATE, Told
from tests.listener import Listener, after, answers, hangs_up, in_turn, listening
from tests.messages import rows
from tests.waiting import wait_until
from worker.hubs import recorder
from worker.hubs.lease import lease_hubs
from worker.hubs.post import Poster
from worker.hubs.runner import HubRunner
from worker.hubs.sink import HubSink

SETTINGS = Settings(
    callback_schedule="0.1,0.2,0.3", callback_timeout=0.5, lease=2, callback_concurrency=4
)
ALLOWED = Guard.of("127.0.0.0/8")


@contextmanager
def runner(store: Store, **changed: Any) -> Iterator[HubRunner]:
    settings = SETTINGS.model_copy(update=changed)
    client = HttpClient(ALLOWED, timeout=settings.callback_timeout, max_body=4096)
    running = HubRunner(store, settings, Poster(client))
    yield running
    running.stop()
    running.close()


def hub(store: Store, listener: Listener, query: str = "") -> Any:
    with store.write() as connection:
        new = NewHub(callback=listener.url, query=query, api_version="v1")
        return register(connection, "default", new)


def tell(store: Store, count: int, first: int = 1, tenant: str = "default") -> None:
    told = [
        Told(
            position=number,
            id=f"e{number}",
            tenant=tenant,
            type=UPDATE,
            at=now(),
            body={
                "eventType": UPDATE,
                "eventId": f"e{number}",
                "CommunicationMessage": {"id": "m"},
            },
            message_key=None,
            delivery_key=None,
        )
        for number in range(first, first + count)
    ]
    with store.write() as connection:
        HubSink(()).put(connection, told)


def relay(store: Store, running: HubRunner) -> None:
    """What the relay does, without a broker."""
    with store.write() as connection:
        moment = now()
        until = moment + timedelta(seconds=SETTINGS.lease)
        hubs = lease_hubs(connection, most=100, lease="relay", now=moment, until=until)
    for key in hubs:
        running.begin(key, "relay")


def states(store: Store) -> list[str]:
    return [row.state for row in rows(store, CALLBACK)]


def serve(store: Store, running: HubRunner, *, until: Callable[[], Any]) -> None:
    """Relay until the condition holds."""

    def done() -> Any:
        relay(store, running)
        return until()

    wait_until(done, within=20)


def all_ended(store: Store) -> bool:
    return State.PENDING not in states(store)


def test_every_event_is_posted_once_signed_and_recorded(store: Store) -> None:
    with listening(answers(204)) as listener, runner(store) as running:
        registered = hub(store, listener)
        tell(store, 30)
        serve(store, running, until=lambda: all_ended(store))

        assert sorted(listener.ids()) == sorted(f"e{n}" for n in range(1, 31))
        one = listener.heard[0]
        Webhook(registered.secret).verify(one.body, one.headers)
        assert (one.path, one.headers["content-type"]) == ("/listener", "application/json")
        assert one.json["eventId"] == one.id
    assert states(store) == [State.DELIVERED] * 30
    assert {(row.status, row.attempts, row.due_at) for row in rows(store, CALLBACK)} == {
        (204, 1, None)
    }
    assert rows(store, CALLBACK_ATTEMPT) == []
    assert len({heard.connection for heard in listener.heard}) <= SETTINGS.callback_concurrency
    assert rows(store, HUB)[0].lease is None


def test_one_at_a_time_they_come_in_the_order_of_events(store: Store) -> None:
    with listening(answers(200)) as listener, runner(store, callback_concurrency=1) as running:
        hub(store, listener)
        tell(store, 20)
        tell(store, 20, first=21)
        serve(store, running, until=lambda: all_ended(store))

        assert listener.ids() == [f"e{n}" for n in range(1, 41)]


def test_a_hub_never_has_more_in_flight_than_the_setting_allows(store: Store) -> None:
    in_flight, most, lock = 0, 0, threading.Lock()

    def behave(handler: Any) -> bool:
        nonlocal in_flight, most
        with lock:
            in_flight += 1
            most = max(most, in_flight)
        time.sleep(0.005)
        with lock:
            in_flight -= 1
        return answers(200)(handler)

    with listening(behave) as listener, runner(store, callback_concurrency=3) as running:
        hub(store, listener)
        tell(store, 60)
        serve(store, running, until=lambda: all_ended(store))

    assert most == 3


@pytest.mark.parametrize(
    "trouble",
    [
        answers(500),
        answers(503, Retry_After="0"),
        answers(429),
        answers(408),
        answers(301, Location="http://127.0.0.1:1/"),
        hangs_up,
        after(1.0, answers(200)),
    ],
    ids=["500", "503", "429", "408", "301", "half-way", "never"],
)
def test_trouble_passes_and_then_everything_arrives(
    store: Store, trouble: Callable[[Any], bool]
) -> None:
    with (
        listening(in_turn(*[trouble] * 3, answers(200))) as listener,
        runner(store, callback_concurrency=2) as running,
    ):
        hub(store, listener)
        tell(store, 10)
        serve(store, running, until=lambda: all_ended(store))

        assert states(store) == [State.DELIVERED] * 10
        assert set(listener.acknowledged().values()) == {1}
        assert len(listener.acknowledged()) == 10


def test_what_is_refused_is_not_tried_again(store: Store) -> None:
    with listening(answers(404)) as listener, runner(store) as running:
        hub(store, listener)
        tell(store, 3)
        serve(store, running, until=lambda: all_ended(store))

        assert states(store) == [State.FAILED] * 3
        assert len(listener.heard) == 3
    assert {(row.status, row.reason) for row in rows(store, CALLBACK)} == {(404, "HTTP 404")}
    assert {row.outcome for row in rows(store, CALLBACK_ATTEMPT)} == {"failed"}


def test_what_fails_as_often_as_the_schedule_is_long_is_given_up(store: Store) -> None:
    with listening(answers(500)) as listener, runner(store) as running:
        hub(store, listener)
        tell(store, 1)
        serve(store, running, until=lambda: all_ended(store))

        assert len(listener.heard) == 4
    assert states(store) == [State.FAILED]
    assert [row.number for row in rows(store, CALLBACK_ATTEMPT)] == [1, 2, 3, 4]
    assert rows(store, HUB)[0].failing_since is not None


def test_a_dead_listener_costs_few_tries_and_hears_everything_when_it_is_back(
    store: Store,
) -> None:
    listener = Listener(answers(200))
    with runner(store, callback_schedule="0.2,0.2,0.2,0.2,0.2") as running:
        hub(store, listener)
        tell(store, 200)
        serve(store, running, until=lambda: rows(store, HUB)[0].resting_until)
        wait_until(lambda: rows(store, HUB)[0].lease is None)
        assert len(rows(store, CALLBACK_ATTEMPT)) <= 2 * SETTINGS.callback_concurrency
        tries = len(rows(store, CALLBACK_ATTEMPT))
        relay(store, running)
        assert len(rows(store, CALLBACK_ATTEMPT)) == tries

        listener.open()
        serve(store, running, until=lambda: all_ended(store))

        assert states(store) == [State.DELIVERED] * 200
        assert set(listener.acknowledged().values()) == {1}
        listener.close()
    known = rows(store, HUB)[0]
    assert (known.failing_since, known.resting_until) == (None, None)


def test_one_event_that_always_fails_holds_up_no_other(store: Store) -> None:
    def behave(handler: Any) -> bool:
        poison = handler.headers["webhook-id"] == "e1"
        return answers(500 if poison else 200)(handler)

    with listening(behave) as listener, runner(store) as running:
        hub(store, listener)
        tell(store, 20)
        serve(store, running, until=lambda: all_ended(store))

        assert len(listener.acknowledged()) == 19
    assert sorted(states(store)) == [State.DELIVERED] * 19 + [State.FAILED]


def test_slow_and_dead_hubs_delay_only_themselves(store: Store) -> None:
    with (
        listening(answers(200)) as well,
        listening(after(0.4, answers(200))) as slow,
        listening(after(5, answers(200))) as silent,
        runner(store) as running,
    ):
        for one in (silent, slow, Listener(answers(200)), well):
            hub(store, one)
        tell(store, 40)
        began = time.monotonic()
        serve(store, running, until=lambda: len(well.acknowledged()) == 40)
        assert time.monotonic() - began < 2


def test_gone_removes_the_hub_and_what_it_was_to_be_told(store: Store) -> None:
    with listening(in_turn(answers(200), answers(410))) as listener, runner(store) as running:
        hub(store, listener)
        tell(store, 20)
        serve(store, running, until=lambda: rows(store, HUB) == [])

    assert (rows(store, CALLBACK), rows(store, CALLBACK_ATTEMPT)) == ([], [])


def test_a_hub_that_fails_too_long_is_disabled_and_hears_nothing(store: Store) -> None:
    with (
        listening(answers(500)) as listener,
        runner(store, callback_schedule="0.1," * 50, callback_disable_after=0.5) as running,
    ):
        hub(store, listener)
        tell(store, 5)
        serve(store, running, until=lambda: rows(store, HUB)[0].state == "disabled")
        assert states(store) == [State.FAILED] * 5
        tell(store, 5, first=6)
        assert len(states(store)) == 5
        with store.read() as connection:
            assert HubSink(()).wants(connection) == {}


def test_while_a_secret_is_replaced_callbacks_are_signed_with_both(store: Store) -> None:
    with listening(answers(200)) as listener, runner(store) as running:
        old = hub(store, listener)
        with store.write() as connection:
            until = now() + timedelta(hours=1)
            new, _ = rotate_secret(connection, "default", old.id, until=until)
        tell(store, 1)
        serve(store, running, until=lambda: all_ended(store))

        one = listener.heard[0]
        for secret in (old.secret, new):
            Webhook(secret).verify(one.body, one.headers)


def test_fields_are_chosen_for_each_hub(store: Store) -> None:
    with (
        listening(answers(200)) as whole,
        listening(answers(200)) as part,
        runner(store) as running,
    ):
        hub(store, whole)
        hub(store, part, "fields=eventId")
        tell(store, 1)
        serve(store, running, until=lambda: all_ended(store))

        assert "CommunicationMessage" in whole.heard[0].json
        shown = part.heard[0].json
        assert shown == {
            "eventType": UPDATE,
            "eventId": "e1",
            "CommunicationMessage": {"id": "m"},
        }


def test_a_huge_answer_is_not_read_to_its_end(store: Store) -> None:
    with listening(answers(200, b"x" * 50_000_000)) as listener, runner(store) as running:
        hub(store, listener)
        tell(store, 5)
        serve(store, running, until=lambda: all_ended(store))

    assert states(store) == [State.DELIVERED] * 5


def test_what_was_acknowledged_is_recorded_though_the_lease_is_gone(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, away = store.write, threading.Event()

    def flaky() -> Any:
        if away.is_set():
            raise ServiceUnavailable("the database is away")
        return write()

    def behave(handler: Any) -> bool:
        away.set()
        return answers(200)(handler)

    monkeypatch.setattr(recorder, "PERSEVERE", 0.02)
    with listening(behave) as listener, runner(store) as running:
        hub(store, listener)
        tell(store, 3)
        monkeypatch.setattr(store, "write", flaky)
        relay(store, running)
        wait_until(lambda: len(listener.heard) == 3)
        with write() as connection:
            connection.execute(update(HUB).values(lease="another worker's"))
        away.clear()
        wait_until(lambda: all_ended(store))

        assert len(listener.heard) == 3
    assert states(store) == [State.DELIVERED] * 3


def test_a_stopping_worker_ends_what_is_in_flight_and_leaves_the_rest(store: Store) -> None:
    with listening(after(0.2, answers(200))) as listener, runner(store) as running:
        hub(store, listener)
        tell(store, 40)
        relay(store, running)
        wait_until(lambda: len(rows(store, HUB)[0].lease or "") > 10)
        running.stop()
        running.close()

        heard = len(listener.heard)
        assert len(listener.acknowledged()) == heard <= SETTINGS.callback_concurrency
    assert states(store).count(State.DELIVERED) == heard
    assert rows(store, HUB)[0].lease is None


def test_a_hub_leased_twice_is_served_once(store: Store) -> None:
    with listening(after(0.05, answers(200))) as listener, runner(store) as running:
        key = hub(store, listener).key
        tell(store, 5)
        relay(store, running)
        running.begin(key, "relay")
        relay(store, running)
        wait_until(lambda: all_ended(store))

        assert len(listener.heard) == 5


def test_old_callbacks_are_forgotten_and_open_ones_kept(store: Store) -> None:
    with listening(answers(200)) as listener, runner(store) as running:
        hub(store, listener)
        tell(store, 3)
        serve(store, running, until=lambda: all_ended(store))
    tell(store, 1, first=4)

    with store.write() as connection:
        assert not callbacks.forget_old(connection, before=now() + timedelta(hours=1))

    assert [row.event_id for row in rows(store, CALLBACK)] == ["e4"]
    assert [row.event_position for row in rows(store, CALLBACK_BODY)] == [4]
