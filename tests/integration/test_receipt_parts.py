"""Receipts of messages that went in parts, on both databases."""

import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from communication.clock import now
from communication.model import DELIVERY, EARLY_RECEIPT, State
from communication.receipts.part_model import DELIVERY_PART
from communication.receipts.parts import PARTS_KEPT, forget_parts
from communication.receipts.receipt import Receipt, ReceiptState
from communication.receipts.recording import can_be_awaited, record
from communication.store import Store
from tests.integration.test_receipts import PROVIDER, stored, taken
from tests.messages import email, rows, states, store_message
from worker.outcomes import Outcome

DELIVERED, EXPIRED = ReceiptState.DELIVERED, ReceiptState.EXPIRED


def in_parts(store: Store, receivers: int = 1, parts: int = 3) -> list[Outcome]:
    """Deliveries on their way, each with the references of its parts."""
    store_message(store, email(receivers))
    return [
        replace(one, reference=" ".join(f"{one.delivery_key}-{n}" for n in range(1, parts + 1)))
        for one in taken(store)
    ]


def part(of: Outcome, number: int, state: ReceiptState = DELIVERED) -> Receipt:
    reference = (of.reference or "").split()[number - 1]
    return Receipt(provider=PROVIDER, reference=reference, state=state)


def told(store: Store, *receipts: Receipt) -> None:
    for receipt in receipts:
        record(store, [receipt])


def reason(store: Store) -> str | None:
    (delivery,) = rows(store, DELIVERY)
    found: str | None = delivery.reason
    return found


def test_the_whole_is_delivered_when_every_part_is(store: Store) -> None:
    (one,) = stored(store, in_parts(store))
    told(store, part(one, 3), part(one, 1))
    assert states(store) == [State.SENT]
    told(store, part(one, 1), part(one, 2))
    assert states(store) == [State.DELIVERED]
    assert reason(store) is None


def test_the_whole_fails_with_its_first_part_that_does(store: Store) -> None:
    (one,) = stored(store, in_parts(store))
    told(store, part(one, 1), part(one, 2, EXPIRED))
    assert states(store) == [State.FAILED]
    assert reason(store) == "expired: part 2 of 3"
    told(store, part(one, 3), part(one, 2), part(one, 2, EXPIRED))
    assert states(store) == [State.FAILED]


def test_receipts_of_one_moment_are_counted_together(store: Store) -> None:
    (one,) = stored(store, in_parts(store))
    record(store, [part(one, 2), part(one, 1), part(one, 3), part(one, 3)])
    assert states(store) == [State.DELIVERED]


@pytest.mark.parametrize("early", [1, 2, 3])
def test_parts_may_be_told_of_before_the_submit_is_stored(store: Store, early: int) -> None:
    (one,) = in_parts(store)
    told(store, *(part(one, number) for number in range(1, early + 1)))
    (settled,) = stored(store, [one])
    assert settled.state is (State.DELIVERED if early == 3 else State.SENT)
    told(store, *(part(one, number) for number in range(early + 1, 4)))
    assert states(store) == [State.DELIVERED]
    assert not rows(store, EARLY_RECEIPT)


def test_an_early_part_may_have_failed(store: Store) -> None:
    (one,) = in_parts(store)
    told(store, part(one, 2, EXPIRED))
    (settled,) = stored(store, [one])
    assert settled.state is State.FAILED


def test_parts_that_share_a_reference_are_one(store: Store) -> None:
    (one,) = [replace(each, reference="7 7") for each in in_parts(store)]
    stored(store, [one])
    told(store, part(one, 1))
    assert states(store) == [State.DELIVERED]


def test_references_that_come_round_again_are_the_newest_ones(store: Store) -> None:
    first, second = (replace(one, reference="1 2") for one in in_parts(store, receivers=2))
    stored(store, [first])
    told(store, part(first, 1))
    stored(store, [second])
    told(store, part(second, 1), part(second, 2))
    assert sorted(states(store)) == [State.DELIVERED, State.SENT]


def test_a_storm_of_parts_ends_every_message_once(store: Store) -> None:
    sent = stored(store, in_parts(store, receivers=60, parts=4))
    receipts = [
        part(one, number, EXPIRED if index % 5 == 0 and number == 2 else DELIVERED)
        for index, one in enumerate(sent)
        for number in (1, 2, 3, 4, 4)
    ]
    random.Random(7).shuffle(receipts)
    _all_at_once(store, receipts)
    assert states(store).count(State.DELIVERED) == 48
    assert states(store).count(State.FAILED) == 12


def _all_at_once(store: Store, receipts: Sequence[Receipt]) -> None:
    batches = [receipts[at : at + 20] for at in range(0, len(receipts), 20)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda batch: record(store, batch), batches))


def test_parts_are_forgotten_when_nothing_can_come_any_more(store: Store) -> None:
    stored(store, in_parts(store))
    with store.write() as connection:
        assert forget_parts(connection, now()) == 0
        assert forget_parts(connection, now() + PARTS_KEPT + timedelta(minutes=1)) == 3
    assert not rows(store, DELIVERY_PART)


def test_what_no_index_could_hold_is_not_awaited() -> None:
    assert can_be_awaited(" ".join(["x" * 65] * 10))
    assert not can_be_awaited(" ".join(["x" * 65] * 40))
    assert not can_be_awaited("x" * 256 + " y")
    assert not can_be_awaited("")
