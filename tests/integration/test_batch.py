"""Batches: taken, sent side by side, recorded as the answers come in."""

import time
from datetime import timedelta

import pytest
from sqlalchemy import update

from communication.clock import now, to_wire
from communication.errors import PermanentDeliveryError, ServiceUnavailable, TransientDeliveryError
from communication.events.event_model import STAGED_EVENT
from communication.events.happening import Kind
from communication.model import ATTEMPT, DELIVERY, MESSAGE, State, Status
from communication.store import Store
from tests.messages import claimed, email, rows, states, store_message
from tests.scripted_channel import Scripted, channel, raising, runner
from worker.batch import BatchRunner

__all__ = ["channel", "runner"]


def test_a_batch_is_sent_and_recorded(store: Store, runner: BatchRunner, channel: Scripted) -> None:
    head = store_message(
        store, email(10, content="Dear $Name", characteristic=[{"name": "Name", "value": "Ann"}])
    )

    runner.run(claimed(store), "relay")

    assert {outbound.text for outbound in channel.sent} == {"Dear Ann"}
    assert states(store) == [State.DELIVERED] * 10
    assert rows(store, DELIVERY)[3].reference == f"sent {head.uid}-1-3"
    assert rows(store, MESSAGE)[0].status == Status.COMPLETED


def test_a_batch_that_the_broker_delivers_twice_is_sent_once(
    store: Store, runner: BatchRunner, channel: Scripted
) -> None:
    store_message(store, email(5))
    keys = claimed(store)

    runner.run(keys, "relay")
    runner.run(keys, "relay")

    assert len(channel.sent) == 5


@pytest.mark.parametrize(
    ("error", "try_times", "state"),
    [
        (TransientDeliveryError("451 busy"), 1, State.PENDING),
        (TransientDeliveryError("451 busy"), 0, State.FAILED),
        (PermanentDeliveryError("550 unknown"), 5, State.FAILED),
    ],
)
def test_failures_are_tried_again_as_often_as_the_message_wants(
    store: Store,
    runner: BatchRunner,
    channel: Scripted,
    error: Exception,
    try_times: int,
    state: State,
) -> None:
    store_message(store, email(tryTimes=try_times))
    channel.answer = raising(error)

    runner.run(claimed(store), "relay")

    (delivery,) = rows(store, DELIVERY)
    assert (delivery.state, delivery.reason, delivery.attempts) == (state, str(error), 1)
    assert (delivery.due_at is None) == (state is State.FAILED)


def test_what_no_channel_may_raise_counts_as_a_try_and_leaves_its_traceback(
    store: Store, runner: BatchRunner, channel: Scripted
) -> None:
    store_message(store, email())
    channel.answer = raising(ZeroDivisionError("oh"))

    runner.run(claimed(store), "relay")

    (delivery,) = rows(store, DELIVERY)
    assert (delivery.state, delivery.reason) == (State.PENDING, "unexpected ZeroDivisionError")
    assert "Traceback" in rows(store, ATTEMPT)[0].reason


def test_outcomes_outlive_an_absence_of_the_database(
    store: Store, runner: BatchRunner, channel: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_message(store, email(3))
    keys = claimed(store, timedelta(minutes=1))
    absent = iter([True, True, False])
    write = store.write

    def flaky() -> object:
        if len(channel.sent) > 0 and next(absent, False):
            raise ServiceUnavailable("the database is away")
        return write()

    monkeypatch.setattr(store, "write", flaky)
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)

    runner.run(keys, "relay")

    assert len(channel.sent) == 3
    assert states(store) == [State.DELIVERED] * 3


def test_a_scheduled_message_is_in_progress_when_its_first_delivery_is_taken(
    store: Store, runner: BatchRunner
) -> None:
    store_message(store, email(sendTime=to_wire(now() + timedelta(hours=1)), tryTimes=0))
    with store.write() as connection:
        connection.execute(update(DELIVERY).values(due_at=now()))

    runner.run(claimed(store), "relay")

    changes = [event for event in rows(store, STAGED_EVENT) if event.kind == Kind.CHANGED]
    assert [event.changed["status"] for event in changes] == [Status.IN_PROGRESS, Status.COMPLETED]


def test_what_was_cancelled_while_it_was_handed_over_is_not_sent(
    store: Store, runner: BatchRunner, channel: Scripted
) -> None:
    store_message(store, email(3))
    keys = claimed(store)
    with store.write() as connection:
        connection.execute(update(MESSAGE).values(status=Status.CANCELLED))

    runner.run(keys, "relay")

    assert channel.sent == []
    assert states(store) == [State.CANCELLED] * 3
    message = rows(store, MESSAGE)[0]
    assert (message.status, message.cancelled_count, message.open_count) == ("Cancelled", 3, 0)


@pytest.mark.parametrize("error", [SystemExit(1), KeyboardInterrupt()])
def test_a_plug_in_that_wants_to_end_the_process_ends_its_try_alone(
    store: Store, runner: BatchRunner, channel: Scripted, error: BaseException
) -> None:
    store_message(store, email(2))
    channel.answer = raising(error)

    runner.run(claimed(store), "relay")

    assert states(store) == [State.PENDING] * 2
    assert {row.attempts for row in rows(store, DELIVERY)} == {1}


def test_a_plug_in_that_forgets_the_reference_has_sent(
    store: Store, runner: BatchRunner, channel: Scripted
) -> None:
    store_message(store, email())
    channel.answer = lambda _outbound: None  # type: ignore[assignment, return-value]

    runner.run(claimed(store), "relay")

    assert states(store) == [State.DELIVERED]
