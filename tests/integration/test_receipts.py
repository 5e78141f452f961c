"""What providers tell of messages that they took, on both databases."""

import os
import random
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from communication import due
from communication.clock import now
from communication.errors import Conflict
from communication.events.event_model import STAGED_EVENT
from communication.events.happening import Kind
from communication.messages.changing import remove
from communication.messages.queue_status import queue_status
from communication.messages.rows import find
from communication.messages.sending import start_send
from communication.model import ATTEMPT, DELIVERY, EARLY_RECEIPT, MESSAGE, State, Status
from communication.receipts.receipt import Receipt, ReceiptState
from communication.receipts.recorder import Recorder
from communication.receipts.recording import (
    EARLY_KEPT,
    can_be_awaited,
    end_unanswered,
    forget_early,
    record,
)
from communication.store import Store
from tests.messages import claimed, email, rows, states, store_message
from worker.outcomes import Outcome, settle

PROVIDER = "smpp://smsc.example.com"
STORM = int(os.environ.get("TIDINGS_TEST_RECEIPTS", "1500"))
"""Receipts in the storm; 50000 is the full one."""


def taken(store: Store, *, wait: timedelta = timedelta(hours=1)) -> list[Outcome]:
    """Every pending delivery, sending, with the outcome that a provider took it."""
    with store.write() as connection:
        pending = DELIVERY.c.state == State.PENDING
        connection.execute(update(DELIVERY).where(pending).values(lease="w", state=State.SENDING))
    return [
        Outcome(
            delivery_key=row.key,
            message_key=row.message_key,
            attempts=row.attempts + 1,
            state=State.SENT,
            at=now(),
            due_at=now() + wait,
            provider=PROVIDER,
            reference=f"r{row.key}",
        )
        for row in rows(store, DELIVERY)
        if row.lease == "w"
    ]


def stored(store: Store, outcomes: Sequence[Outcome]) -> list[Outcome]:
    with store.write() as connection:
        return settle(connection, outcomes, lease="w", now=now())


def sent(store: Store, receivers: int = 1, **body: Any) -> list[Outcome]:
    """A message whose deliveries all await their receipts."""
    store_message(store, email(receivers, **body))
    return stored(store, taken(store))


def receipt(of: Outcome, state: ReceiptState = ReceiptState.DELIVERED, **rest: Any) -> Receipt:
    return Receipt(provider=PROVIDER, reference=of.reference or "", state=state, **rest)


def message(store: Store) -> Any:
    (only,) = rows(store, MESSAGE)
    return only


def kinds(store: Store) -> list[str]:
    """Of what happened, faults that were reported left out."""
    told = [event.kind for event in rows(store, STAGED_EVENT)]
    return [kind for kind in told if kind != Kind.COLLECTED]


def test_what_awaits_a_receipt_is_sent_and_open(store: Store) -> None:
    (outcome,) = sent(store)

    (delivery,) = rows(store, DELIVERY)
    assert (delivery.state, delivery.provider, delivery.reference) == (
        State.SENT,
        PROVIDER,
        outcome.reference,
    )
    assert (delivery.due_at, delivery.ended_at, delivery.lease) == (outcome.due_at, None, None)
    assert (message(store).status, message(store).open_count) == (Status.IN_PROGRESS, 1)
    assert kinds(store) == [Kind.CREATED]
    assert [row.outcome for row in rows(store, ATTEMPT)] == ["sent"]


def test_a_receipt_ends_its_delivery_and_its_message(store: Store) -> None:
    first, second = sent(store, 2)
    arrived = now()

    record(store, [receipt(first, at=arrived)])
    assert states(store) == [State.DELIVERED, State.SENT]
    assert message(store).status == Status.IN_PROGRESS
    record(store, [receipt(second, ReceiptState.UNDELIVERABLE, reason="absent subscriber")])

    delivered, failed = rows(store, DELIVERY)
    assert (delivered.due_at, delivered.reason, delivered.ended_at) == (None, None, arrived)
    assert (failed.state, failed.reason) == (State.FAILED, "undeliverable: absent subscriber")
    assert (message(store).delivered_count, message(store).failed_count) == (1, 1)
    assert message(store).status == Status.COMPLETED
    assert kinds(store) == [Kind.CREATED, Kind.ENDED, Kind.ENDED, Kind.CHANGED]


def test_intermediate_unknown_and_unusable_receipts_end_nothing(store: Store) -> None:
    (outcome,) = sent(store)

    record(store, [receipt(outcome, ReceiptState.ACCEPTED), receipt(outcome, ReceiptState.UNKNOWN)])
    delivered = ReceiptState.DELIVERED
    record(store, [Receipt(provider=PROVIDER, reference="x" * 256, state=delivered)])
    record(store, [Receipt(provider=PROVIDER, reference="", state=delivered)])
    record(store, [Receipt(provider="smpp://another", reference="r1", state=delivered)])
    record(store, [Receipt(provider=PROVIDER, reference="\0\udcff", state=delivered)])

    assert states(store) == [State.SENT]


@pytest.mark.parametrize("reference", ["\N{CJK UNIFIED IDEOGRAPH-4E00}" * 250, "x" * 256, ""])
def test_a_reference_that_no_index_bears_is_not_awaited(reference: str) -> None:
    assert not can_be_awaited(reference)


def test_an_early_receipt_waits_for_its_submit(store: Store) -> None:
    store_message(store, email(2))
    first, second = taken(store)

    record(store, [receipt(second, ReceiptState.EXPIRED), receipt(second)])
    assert len(rows(store, EARLY_RECEIPT)) == 2
    counted = stored(store, [first, second])

    assert states(store) == [State.SENT, State.FAILED]
    assert [one.state for one in counted] == [State.SENT, State.FAILED]
    assert rows(store, EARLY_RECEIPT) == []
    assert (message(store).open_count, message(store).failed_count) == (1, 1)
    # The second receipt differed from the first.
    assert kinds(store) == [Kind.CREATED, Kind.ENDED, Kind.CONTRADICTED]


def test_early_receipts_that_nobody_claims_are_forgotten(store: Store) -> None:
    record(store, [Receipt(provider=PROVIDER, reference="stray", state=ReceiptState.DELIVERED)])

    with store.write() as connection:
        assert forget_early(connection, now()) == 0
        assert forget_early(connection, now() + EARLY_KEPT) == 1


def test_a_final_state_is_never_overwritten(store: Store) -> None:
    (outcome,) = sent(store)
    record(store, [receipt(outcome)])

    for _ in range(3):
        record(store, [receipt(outcome)])
        record(store, [receipt(outcome, ReceiptState.UNDELIVERABLE, reason="lost after all")])

    (delivery,) = rows(store, DELIVERY)
    assert (delivery.state, delivery.reason) == (State.DELIVERED, None)
    assert message(store).delivered_count == 1
    logged = [(row.outcome, row.reason) for row in rows(store, ATTEMPT)]
    assert logged == [("sent", None), ("undeliverable", "lost after all")]
    assert kinds(store) == [Kind.CREATED, Kind.ENDED, Kind.CHANGED, Kind.CONTRADICTED]
    told = rows(store, STAGED_EVENT)[-1]
    assert told.delivery_key == delivery.key
    assert told.changed == {"state": "undeliverable", "reason": "lost after all"}


def test_a_contradiction_is_not_logged_where_no_contact_log_is_wanted(store: Store) -> None:
    (outcome,) = sent(store, logFlag=False)
    before = len(rows(store, ATTEMPT))

    record(store, [receipt(outcome), receipt(outcome, ReceiptState.REJECTED)])

    assert len(rows(store, ATTEMPT)) == before
    assert kinds(store)[-1] == Kind.CONTRADICTED


def test_a_reference_that_comes_round_again_is_the_newest_that_waits(store: Store) -> None:
    (old,) = sent(store)
    record(store, [receipt(old)])
    store_message(store, email())
    (new,) = taken(store)
    stored(store, [replace(new, reference=old.reference)])

    record(store, [receipt(old, ReceiptState.EXPIRED)])

    assert states(store) == [State.DELIVERED, State.FAILED]


def test_who_waited_in_vain_counts_as_delivered(store: Store) -> None:
    store_message(store, email(2))
    first, second = taken(store, wait=timedelta(seconds=-1))
    stored(store, [first, replace(second, due_at=now() + timedelta(hours=1))])

    assert end_unanswered(store) == 1
    assert end_unanswered(store) == 0

    assert states(store) == [State.DELIVERED, State.SENT]
    assert rows(store, DELIVERY)[0].reason == "no receipt"
    assert message(store).delivered_count == 1


def test_who_waits_in_vain_is_never_sent_again(store: Store) -> None:
    store_message(store, email())
    stored(store, taken(store, wait=timedelta(seconds=-1)))

    with store.write() as connection:
        assert due.waiting(connection, DELIVERY, ["email"], now=now()) == set()
        assert {one.waiting for one in queue_status(connection, now=now())} == {0}
    assert claimed(store) == []


def test_a_message_that_awaits_receipts_is_being_sent(store: Store) -> None:
    sent(store)
    key = message(store).id

    with store.write() as connection, pytest.raises(Conflict, match="being sent"):
        start_send(connection, find(connection, "default", key, lock=True), now())


def test_a_deleted_message_still_takes_its_receipts(store: Store) -> None:
    (outcome,) = sent(store)
    with store.write() as connection:
        remove(connection, find(connection, "default", message(store).id, lock=True), now())
    assert states(store) == [State.SENT]

    record(store, [receipt(outcome)])

    assert states(store) == [State.DELIVERED]
    assert (message(store).status, message(store).open_count) == (Status.CANCELLED, 0)


def test_a_storm_of_receipts_loses_nothing(store: Store) -> None:
    """Early ones, doubled ones and unknown ones, while the submits are being stored."""
    number = STORM if store.is_postgresql else min(STORM, 5000)
    for _ in range(10):
        store_message(store, email(number // 10))
    outcomes = taken(store)
    chance = random.Random(7)
    wanted = {one.delivery_key: chance.choice(list(ReceiptState)[:5]) for one in outcomes}
    receipts = [receipt(one, wanted[one.delivery_key]) for one in outcomes]
    unknown = [replace(one, reference=f"{one.reference}?") for one in receipts[::10]]
    storm = receipts + receipts[::3] + unknown
    chance.shuffle(storm)
    recorder = Recorder(store)

    with ThreadPoolExecutor(8) as pool:
        batches = [outcomes[at : at + 100] for at in range(0, number, 100)]
        storing = pool.map(lambda batch: stored(store, batch), batches)
        committed = list(pool.map(recorder, storm))
        assert sum(len(batch) for batch in storing) == number
        assert all(one.result(timeout=60) is None for one in committed)
    recorder.close()

    ends = {ReceiptState.DELIVERED: State.DELIVERED}
    for row in rows(store, DELIVERY):
        assert row.state == ends.get(wanted[row.key], State.FAILED)
    assert Counter(kinds(store)) == {Kind.CREATED: 10, Kind.ENDED: number, Kind.CHANGED: 10}
    assert {row.status for row in rows(store, MESSAGE)} == {Status.COMPLETED}
    assert {row.open_count for row in rows(store, MESSAGE)} == {0}
    left = {row.reference for row in rows(store, EARLY_RECEIPT)}
    assert left == {one.reference for one in unknown}
