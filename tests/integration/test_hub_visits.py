"""Hubs served over both databases, by a worker and a real listener."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, update
from standardwebhooks import Webhook

from communication.clock import now
from communication.errors import ServiceUnavailable
from communication.events.told import UPDATE
from communication.hubs import callbacks
from communication.hubs.callbacks import callback_row
from communication.hubs.listener_model import CALLBACK, CALLBACK_ATTEMPT, CALLBACK_BODY, HUB
from communication.hubs.registration import rotate_secret
from communication.model import State
from communication.store import Store
from tests.crowd import Crowd
from tests.hubs import SETTINGS, all_ended, hub, relay, runner, serve, states, tell
from tests.listener import after, answers, listening
from tests.messages import rows
from tests.waiting import wait_until
from worker.hubs import recorder


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
    in_flight = Crowd(bound=3)

    def behave(handler: Any) -> bool:
        with in_flight:
            return answers(200)(handler)

    with listening(behave) as listener, runner(store, callback_concurrency=3) as running:
        hub(store, listener)
        tell(store, 60)
        serve(store, running, until=lambda: all_ended(store))

    assert in_flight.most == 3


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
    may_answer = threading.Event()

    def behave(handler: Any) -> bool:
        may_answer.wait(60)
        return answers(200)(handler)

    with listening(behave) as listener, runner(store) as running:
        hub(store, listener)
        tell(store, 40)
        relay(store, running)
        wait_until(lambda: len(rows(store, HUB)[0].lease or "") > 10)
        running.stop()
        may_answer.set()
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
        running.begin(key, "relay", failing=False)
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
        lost = callback_row(4711, position=3, event_id="e3", due_at=now())
        connection.execute(insert(CALLBACK), lost)

    with store.write() as connection:
        assert not callbacks.forget_old(connection, before=now() + timedelta(hours=1))

    assert [row.event_id for row in rows(store, CALLBACK)] == ["e4"]
    assert [row.event_position for row in rows(store, CALLBACK_BODY)] == [4]
