"""Listeners in trouble, over both databases: what they miss, and what they cost others."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from typing import Any

import orjson
from sqlalchemy import update

from communication.clock import now
from communication.events.event_model import COLLECTED_EVENT
from communication.hubs.listener_model import CALLBACK, CALLBACK_ATTEMPT, HUB
from communication.model import State
from communication.store import Store
from tests.hubs import SETTINGS, all_ended, hub, relay, runner, serve, states, tell
from tests.listener import Handler, Listener, after, answers, hangs_up, in_turn, listening
from tests.messages import rows
from tests.waiting import wait_until
from worker.hubs.sink import HubSink


def test_trouble_passes_and_then_everything_arrives(store: Store) -> None:
    troubles = [
        answers(500),
        answers(503, Retry_After="0"),
        answers(429),
        answers(408),
        answers(301, Location="http://127.0.0.1:1/"),
        hangs_up,
        after(2.5, answers(200)),
    ]
    with (
        listening(in_turn(*troubles, *troubles, answers(200))) as listener,
        runner(
            store, callback_concurrency=2, callback_schedule="0.1," * 20, callback_timeout=1
        ) as running,
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
    with runner(store, callback_schedule="60,60,60,60,60") as running:
        hub(store, listener)
        tell(store, 200)
        serve(store, running, until=lambda: rows(store, HUB)[0].resting_until)
        wait_until(lambda: rows(store, HUB)[0].lease is None)
        assert len(rows(store, CALLBACK_ATTEMPT)) <= 2 * SETTINGS.callback_concurrency
        tries = len(rows(store, CALLBACK_ATTEMPT))
        relay(store, running)
        assert len(rows(store, CALLBACK_ATTEMPT)) == tries

        with store.write() as connection:
            connection.execute(update(HUB).values(resting_until=now()))
            connection.execute(update(CALLBACK).values(due_at=now()))
        listener.open()
        serve(store, running, until=lambda: all_ended(store))

        assert states(store) == [State.DELIVERED] * 200
        assert set(listener.acknowledged().values()) == {1}
        listener.close()
    known = rows(store, HUB)[0]
    assert (known.failing_since, known.resting_until) == (None, None)


def test_what_is_given_up_is_a_fault_that_names_the_hub(store: Store) -> None:
    with listening(answers(404)) as listener, runner(store) as running:
        registered = hub(store, listener)
        tell(store, 2)
        serve(store, running, until=lambda: all_ended(store))

    first, second = (row.body for row in rows(store, COLLECTED_EVENT))
    assert (first["event_type"], first["entity_id"]) == ("FAULT", registered.id)
    fault = orjson.loads(base64.b64decode(first["event_payload"]["base64_encoded_fault_json"]))
    assert fault == {"reason": "HTTP 404", "attempts": 1}
    assert {one["event_payload"]["key_attributes"]["correlationId"] for one in (first, second)} == {
        "e1",
        "e2",
    }
    assert listener.url not in str(first)


def test_a_fault_about_a_hub_goes_to_others_and_is_no_new_fault_when_they_refuse_it(
    store: Store,
) -> None:
    with (
        listening(answers(404)) as first,
        listening(answers(404)) as second,
        runner(store) as running,
    ):
        troubled = hub(store, first, "eventType=FAULT")
        hub(store, second, "eventType=FAULT")
        tell(store, 1, event_type="FAULT", entity_name="hub", entity_id=troubled.id)
        serve(store, running, until=lambda: all_ended(store))

        assert (first.ids(), second.ids()) == ([], ["e1"])
    assert rows(store, COLLECTED_EVENT) == []


def test_a_fault_of_something_else_that_is_given_up_is_a_fault_of_the_hub(store: Store) -> None:
    with listening(answers(404)) as listener, runner(store) as running:
        registered = hub(store, listener, "eventType=FAULT")
        tell(store, 1, event_type="FAULT", entity_name="delivery", entity_id="d1")
        serve(store, running, until=lambda: all_ended(store))

    (reported,) = (row.body for row in rows(store, COLLECTED_EVENT))
    assert (reported["entity_name"], reported["entity_id"]) == ("hub", registered.id)


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


@contextmanager
def silent_listening() -> Iterator[tuple[Listener, list[str]]]:
    """A listener that says nothing until the end, and the events that it was told of."""
    over = Event()
    told: list[str] = []

    def behave(handler: Handler) -> bool:
        told.append(handler.headers["webhook-id"])
        over.wait()
        return hangs_up(handler)

    with listening(behave) as listener:
        try:
            yield listener, told
        finally:
            over.set()


def test_slow_and_dead_hubs_delay_only_themselves(store: Store) -> None:
    with (
        runner(store, callback_timeout=300) as running,
        listening(answers(200)) as well,
        listening(after(0.4, answers(200))) as slow,
        silent_listening() as (silent, _),
    ):
        for one in (silent, slow, Listener(answers(200)), well):
            hub(store, one)
        tell(store, 40)
        serve(store, running, until=lambda: len(well.acknowledged()) == 40)


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
        (warning,) = [row.body for row in rows(store, COLLECTED_EVENT)]
        assert (warning["event_type"], warning["entity_name"]) == ("WARNING", "hub")
        tell(store, 5, first=6)
        assert len(states(store)) == 5
        with store.read() as connection:
            assert HubSink(()).wants(connection) == {}


def test_a_huge_answer_is_not_read_to_its_end(store: Store) -> None:
    with listening(answers(200, b"x" * 50_000_000)) as listener, runner(store) as running:
        hub(store, listener)
        tell(store, 5)
        serve(store, running, until=lambda: all_ended(store))

    assert states(store) == [State.DELIVERED] * 5


def test_however_many_hubs_are_dead_those_that_are_well_have_room(store: Store) -> None:
    with (
        runner(store, callback_hubs=16, callback_concurrency=1, callback_timeout=300) as running,
        listening(answers(200)) as well,
        silent_listening() as (silent, told),
    ):
        for number in range(12):
            hub(store, silent, f"eventId.ne={number}")
        with store.write() as connection:
            connection.execute(update(HUB).values(failing_since=now()))
        tell(store, 1)
        serve(store, running, until=lambda: told)
        hub(store, well)
        tell(store, 20, first=2)
        serve(store, running, until=lambda: len(well.acknowledged()) == 20)
        assert len(told) <= 4
