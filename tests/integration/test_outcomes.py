"""What became of deliveries, written down on both databases."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from communication.clock import now
from communication.events.event_model import STAGED_EVENT
from communication.events.happening import Kind
from communication.model import ATTEMPT, DELIVERY, MESSAGE, State, Status
from communication.store import Store, open_store
from tests.messages import email, rows, states, store_message
from worker.outcomes import Outcome, settle


def held(store: Store, lease: str = "worker") -> list[Outcome]:
    """Every open delivery, leased to a worker, with the outcome that it was delivered."""
    with store.write() as connection:
        connection.execute(
            update(DELIVERY)
            .where(DELIVERY.c.due_at.is_not(None))
            .values(lease=lease, state=State.SENDING)
        )
    return [
        Outcome(
            delivery_key=row.key,
            message_key=row.message_key,
            attempts=row.attempts + 1,
            state=State.DELIVERED,
            at=now(),
            provider="null://",
            reference=f"reference-{row.key}",
            took_ms=7,
        )
        for row in rows(store, DELIVERY)
        if row.lease == lease
    ]


def recorded(store: Store, outcomes: Sequence[Outcome], lease: str = "worker") -> list[Outcome]:
    with store.write() as connection:
        return settle(connection, outcomes, lease=lease, now=now())


def only(store: Store) -> Any:
    (message,) = rows(store, MESSAGE)
    return message


def test_a_delivered_message_is_complete_and_told(store: Store) -> None:
    store_message(store, email(2))

    recorded(store, held(store))

    message = only(store)
    assert (message.status, message.open_count, message.delivered_count) == (Status.COMPLETED, 0, 2)
    assert message.send_time_complete is not None
    delivery = rows(store, DELIVERY)[0]
    assert (delivery.state, delivery.due_at, delivery.lease) == (State.DELIVERED, None, None)
    assert delivery.reference == f"reference-{delivery.key}"
    assert delivery.ended_at is not None
    attempt = rows(store, ATTEMPT)[0]
    assert (attempt.number, attempt.outcome, attempt.took_ms) == (1, "delivered", 7)
    kinds = [event.kind for event in rows(store, STAGED_EVENT)]
    assert kinds == [Kind.CREATED, Kind.ENDED, Kind.ENDED, Kind.CHANGED]
    assert rows(store, STAGED_EVENT)[-1].changed["status"] == "Completed"


def test_one_receiver_reached_is_completed_and_none_is_failed(store: Store) -> None:
    store_message(store, email(2))
    first, second = held(store)

    recorded(store, [first, replace(second, state=State.FAILED, reason="550 no such user")])
    assert only(store).status == Status.COMPLETED
    assert only(store).failed_count == 1

    store_message(store, email())
    recorded(store, [replace(one, state=State.FAILED) for one in held(store)])
    assert rows(store, MESSAGE)[-1].status == Status.FAILED


def test_a_try_again_leaves_the_message_in_progress(store: Store) -> None:
    store_message(store, email())
    later = now() + timedelta(minutes=1)
    (outcome,) = held(store)

    recorded(store, [replace(outcome, state=State.PENDING, due_at=later, reason="451 busy")])

    (delivery,) = rows(store, DELIVERY)
    assert (delivery.state, delivery.due_at, delivery.attempts) == (State.PENDING, later, 1)
    assert (delivery.ended_at, delivery.reason) == (None, "451 busy")
    assert only(store).status == Status.IN_PROGRESS
    assert [event.kind for event in rows(store, STAGED_EVENT)] == [Kind.CREATED]


def test_outcomes_whose_lease_is_gone_touch_nothing(store: Store) -> None:
    store_message(store, email())
    outcomes = held(store, lease="another's")

    assert recorded(store, outcomes, lease="mine") == []

    assert states(store) == [State.SENDING]
    assert rows(store, ATTEMPT) == []
    assert only(store).open_count == 1


def test_what_was_cancelled_meanwhile_is_not_tried_again(store: Store) -> None:
    store_message(store, email())
    (outcome,) = held(store)
    with store.write() as connection:
        connection.execute(update(MESSAGE).values(status=Status.CANCELLED))

    recorded(store, [replace(outcome, state=State.PENDING, due_at=now(), reason="451")])

    assert states(store) == [State.CANCELLED]
    message = only(store)
    assert (message.status, message.cancelled_count) == (Status.CANCELLED, 1)
    assert message.send_time_complete is not None


def test_what_was_sent_before_it_was_cancelled_counts_as_delivered(store: Store) -> None:
    store_message(store, email())
    outcomes = held(store)
    with store.write() as connection:
        connection.execute(update(MESSAGE).values(status=Status.CANCELLED))

    recorded(store, outcomes)

    assert states(store) == [State.DELIVERED]
    assert only(store).status == Status.CANCELLED


def test_a_deleted_messages_status_is_not_told(store: Store) -> None:
    store_message(store, email())
    outcomes = held(store)
    with store.write() as connection:
        connection.execute(update(MESSAGE).values(deleted_at=now()))

    recorded(store, outcomes)

    assert [event.kind for event in rows(store, STAGED_EVENT)] == [Kind.CREATED, Kind.ENDED]


def test_no_contact_log_where_the_message_wants_none(store: Store) -> None:
    store_message(store, email(logFlag=False))

    recorded(store, [replace(one, logged=False) for one in held(store)])

    assert rows(store, ATTEMPT) == []
    assert states(store) == [State.DELIVERED]


def test_the_contact_log_has_the_traceback_and_the_delivery_does_not(store: Store) -> None:
    store_message(store, email())
    (outcome,) = held(store)

    recorded(store, [replace(outcome, state=State.FAILED, reason="unexpected", detail="Traceback")])

    assert rows(store, ATTEMPT)[0].reason == "Traceback"
    assert rows(store, DELIVERY)[0].reason == "unexpected"


@pytest.mark.parametrize("receivers", [1, 40])
def test_batches_that_share_messages_count_right_and_never_deadlock(
    migrated_postgresql_url: str, receivers: int
) -> None:
    store = open_store(migrated_postgresql_url)
    for _ in range(20):
        store_message(store, email(receivers))
    outcomes = held(store)
    batches = [outcomes[at::8] for at in range(8)]
    backwards = [batch[::-1] if at % 2 else batch for at, batch in enumerate(batches)]

    with ThreadPoolExecutor(8) as pool:
        counted = list(pool.map(lambda batch: recorded(store, batch), backwards))

    assert sum(map(len, counted)) == len(outcomes)
    assert {(row.status, row.open_count) for row in rows(store, MESSAGE)} == {(Status.COMPLETED, 0)}
    store.close()
