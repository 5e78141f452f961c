"""How due work is claimed, taken, renewed and let go, on both databases."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, update

from communication import due
from communication.clock import now, to_wire
from communication.model import DELIVERY, State
from communication.store import Store, open_store
from tests.messages import email, rows, store_message

LEASE = timedelta(seconds=30)


def claim(
    connection: Connection,
    *,
    lease: str = "relay",
    priorities: Sequence[int] = range(10),
    limit: int = 100,
    at: datetime | None = None,
) -> list[due.Claimed]:
    moment = at or now()
    return due.claim(
        connection,
        DELIVERY,
        channel="email",
        priorities=priorities,
        limit=limit,
        lease=lease,
        now=moment,
        until=moment + LEASE,
    )


def test_work_is_claimed_by_priority_and_then_by_due_time(store: Store) -> None:
    for priority in (4, 2, 4, 3):
        store_message(store, email(priority=priority))

    with store.write() as connection:
        claimed = claim(connection, priorities=(2, 3, 4), limit=3)

    assert [one.priority for one in claimed] == [2, 3, 4]
    assert claimed[-1].key == rows(store, DELIVERY)[0].key


def test_only_the_asked_channel_and_priorities_are_claimed(store: Store) -> None:
    store_message(store, email(priority=7))
    store_message(
        store,
        {
            "type": "SMS",
            "content": "x",
            "priority": 0,
            "receiver": [{"phoneNumber": "+46701234567"}],
        },
    )

    with store.write() as connection:
        assert claim(connection, priorities=(0, 1)) == []


def test_what_is_claimed_is_not_due_until_its_lease_ends(store: Store) -> None:
    store_message(store, email())

    with store.write() as connection:
        assert len(claim(connection)) == 1
        assert claim(connection) == []
        assert len(claim(connection, at=now() + LEASE)) == 1


def test_work_that_is_due_later_waits(store: Store) -> None:
    store_message(store, email(sendTime=to_wire(now() + timedelta(hours=1))))

    with store.write() as connection:
        assert due.waiting(connection, DELIVERY, ["email"], now=now()) == set()
        assert claim(connection) == []
        assert len(claim(connection, at=now() + timedelta(hours=1))) == 1


def test_the_look_for_waiting_work_names_channels_and_priorities(store: Store) -> None:
    store_message(store, email(priority=0))
    store_message(store, email(priority=9))

    with store.read() as connection:
        waiting = due.waiting(connection, DELIVERY, ["sms", "email", "push"], now=now())

    assert waiting == {("email", 0), ("email", 9)}


def test_taking_needs_the_relays_lease_and_ends_it(store: Store) -> None:
    store_message(store, email())
    with store.write() as connection:
        keys = [one.key for one in claim(connection, lease="relay")]

        assert due.take(connection, DELIVERY, keys, relayed="another", lease="worker") == []
        taken = due.take(connection, DELIVERY, keys, relayed="relay", lease="worker")
        assert [row.state for row in taken] == [State.SENDING]
        assert due.take(connection, DELIVERY, keys, relayed="relay", lease="late") == []


def test_a_worker_that_vanishes_is_counted_and_one_that_never_took_is_not(store: Store) -> None:
    store_message(store, email())
    with store.write() as connection:
        first = claim(connection, lease="one")
        second = claim(connection, lease="two", at=now() + LEASE)
        due.take(connection, DELIVERY, [second[0].key], relayed="two", lease="worker")
        third = claim(connection, lease="three", at=now() + 2 * LEASE)

    assert [claimed[0].lost for claimed in (first, second, third)] == [0, 0, 1]


def test_renewing_keeps_only_what_is_ours(store: Store) -> None:
    store_message(store, email(2))
    with store.write() as connection:
        mine, theirs = claim(connection, lease="mine")
        connection.execute(update(DELIVERY).where(DELIVERY.c.key == theirs.key).values(lease="x"))
        due.renew(
            connection,
            DELIVERY,
            [mine.key, theirs.key],
            lease="mine",
            until=now() + timedelta(hours=1),
        )
        later = claim(connection, at=now() + LEASE)

    assert [one.key for one in later] == [theirs.key]


def test_what_is_released_is_due_at_once(store: Store) -> None:
    store_message(store, email(2))
    with store.write() as connection:
        keys = [one.key for one in claim(connection, lease="mine")]
        due.release(connection, DELIVERY, keys[:1], lease="mine", now=now())
        due.release(connection, DELIVERY, keys[1:], lease="not mine", now=now())

        assert [one.key for one in claim(connection)] == keys[:1]


def test_a_lone_process_frees_every_lease_when_it_starts(store: Store) -> None:
    store_message(store, email(3))
    with store.write() as connection:
        claim(connection, limit=2)

        assert due.free_all(connection, DELIVERY, now=now()) == 2
        assert len(claim(connection)) == 3


@pytest.fixture
def shared_store(migrated_postgresql_url: str) -> Iterator[Store]:
    store = open_store(migrated_postgresql_url)
    yield store
    store.close()


def test_relays_side_by_side_never_claim_the_same_work(shared_store: Store) -> None:
    store_message(shared_store, email(2_000))

    def relay(number: int) -> list[int]:
        keys: list[int] = []
        while True:
            with shared_store.write() as connection:
                claimed = claim(connection, lease=f"relay-{number}", limit=50)
            if not claimed:
                return keys
            keys += [one.key for one in claimed]

    with ThreadPoolExecutor(4) as pool:
        claimed = [key for keys in pool.map(relay, range(4)) for key in keys]

    assert sorted(claimed) == [row.key for row in rows(shared_store, DELIVERY)]
