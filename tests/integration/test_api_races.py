"""Clients that do the same thing at the same moment, and workers that are in the midst of it."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from falcon import testing
from sqlalchemy import select, update

from communication import due
from communication.clock import now
from communication.events.event_model import STAGED_EVENT
from communication.model import DELIVERY, MESSAGE, State
from communication.store import Store, open_store
from tests.api import MESSAGES, client
from tests.messages import email, rows

PATH = f"{MESSAGES}/m1"
LATER = "2126-11-21T08:00:00.000Z"
TOGETHER = 8


@pytest.fixture
def store(migrated_postgresql_url: str) -> Iterator[Store]:
    """SQLite's writers are serial: only PostgreSQL has races."""
    opened = open_store(migrated_postgresql_url, connections=TOGETHER, keep_plans=True)
    yield opened
    opened.close()


@pytest.fixture
def api(store: Store) -> testing.TestClient:
    return client(store)


def at_once(*calls: Callable[[], testing.Result]) -> list[testing.Result]:
    """The results of calls that begin at the same moment."""
    barrier = Barrier(len(calls))

    def call(one: Callable[[], testing.Result]) -> testing.Result:
        barrier.wait()
        return one()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(call, calls))


def statuses(results: list[testing.Result]) -> Counter[int]:
    return Counter(one.status_code for one in results)


def test_one_of_many_gets_an_id(api: testing.TestClient, store: Store) -> None:
    create = [lambda: api.simulate_post(f"{MESSAGES}/send", json=email(id="m1"))] * TOGETHER
    assert statuses(at_once(*create)) == {200: 1, 409: TOGETHER - 1}
    assert len(rows(store, DELIVERY)) == 1


def test_one_of_many_sends_a_stored_message(api: testing.TestClient, store: Store) -> None:
    api.simulate_post(MESSAGES, json=email(id="m1"))
    send = [lambda: api.simulate_post(f"{PATH}/send")] * TOGETHER
    assert statuses(at_once(*send)) == {200: 1, 409: TOGETHER - 1}
    assert len(rows(store, DELIVERY)) == 1


def test_one_of_many_deletes(api: testing.TestClient, store: Store) -> None:
    api.simulate_post(f"{MESSAGES}/send", json=email(5, id="m1"))
    delete = [lambda: api.simulate_delete(PATH)] * TOGETHER
    assert statuses(at_once(*delete)) == {204: 1, 404: TOGETHER - 1}
    assert Counter(one.kind for one in rows(store, STAGED_EVENT)) == {
        "created": 1,
        "ended": 5,
        "deleted": 1,
    }


def test_of_many_patches_none_is_lost(api: testing.TestClient) -> None:
    api.simulate_post(MESSAGES, json=email(id="m1"))

    def patch(number: int) -> Callable[[], testing.Result]:
        return lambda: api.simulate_patch(PATH, json={f"x{number}": number})

    assert statuses(at_once(*map(patch, range(TOGETHER)))) == {201: TOGETHER}
    stored = api.simulate_get(PATH).json
    assert [stored[f"x{number}"] for number in range(TOGETHER)] == list(range(TOGETHER))


def test_what_is_deleted_is_not_sent(api: testing.TestClient, store: Store) -> None:
    for _ in range(10):
        api.simulate_post(MESSAGES, json=email(id="m1"))
        sent, deleted = at_once(
            lambda: api.simulate_post(f"{PATH}/send"), lambda: api.simulate_delete(PATH)
        )
        assert deleted.status_code == 204
        assert sent.status_code in (200, 404)
    assert all(one.state == State.CANCELLED for one in rows(store, DELIVERY))


def test_one_key_is_one_message(api: testing.TestClient, store: Store) -> None:
    headers = {"Idempotency-Key": "k"}
    create = [lambda: api.simulate_post(MESSAGES, json=email(), headers=headers)] * TOGETHER
    assert set(statuses(at_once(*create))) <= {201, 409}
    assert len(rows(store, MESSAGE)) == 1


def claim_all(store: Store) -> int:
    """Claim what is due, as a relay does."""
    moment = now()
    with store.write() as connection:
        return len(
            due.claim(
                connection,
                DELIVERY,
                channel="email",
                priorities=[4],
                limit=100,
                lease="relay",
                now=moment,
                until=moment + timedelta(seconds=30),
            )
        )


def claim_until(store: Store, deadline: datetime) -> int:
    claimed = 0
    while now() < deadline:
        claimed += claim_all(store)
    return claimed


def test_a_send_is_changed_or_claimed_but_never_both(api: testing.TestClient, store: Store) -> None:
    """The change comes from long before the send is due to long after."""
    answers = Counter[int]()
    for number in range(300):
        body = email(3, id=f"m{number}")
        due_at = now() + timedelta(milliseconds=number % 100 * 4)
        with ThreadPoolExecutor(1) as pool:
            api.simulate_post(f"{MESSAGES}/send", json=body | {"sendTime": due_at.isoformat()})
            claiming = pool.submit(claim_until, store, now() + timedelta(milliseconds=100))
            patched = api.simulate_patch(f"{MESSAGES}/m{number}", json={"sendTime": LATER})
            claimed = claiming.result() + claim_until(store, due_at)
        claimed += claim_all(store)
        assert (patched.status_code, claimed) in ((201, 0), (409, 3))
        answers[patched.status_code] += 1
        if number >= 30 and len(answers) == 2:
            break
    assert set(answers) == {201, 409}


def test_a_change_does_not_wait_for_a_relay_that_is_claiming(
    api: testing.TestClient, store: Store
) -> None:
    api.simulate_post(f"{MESSAGES}/send", json=email(2, id="m1", sendTime=LATER))
    with store.write() as connection:
        first = select(DELIVERY.c.key).limit(1).with_for_update()
        key = connection.scalar(first)
        assert api.simulate_patch(PATH, json={"subject": "New"}).status_code == 409
        connection.execute(update(DELIVERY).where(DELIVERY.c.key == key).values(lease="relay"))
    assert api.simulate_patch(PATH, json={"subject": "New"}).status_code == 409


def test_cancelling_passes_by_what_a_worker_is_taking(
    api: testing.TestClient, store: Store
) -> None:
    api.simulate_post(f"{MESSAGES}/send", json=email(3, id="m1"))
    with store.write() as connection:
        connection.scalar(select(DELIVERY.c.key).limit(1).with_for_update())
        cancelled: dict[str, Any] = api.simulate_patch(PATH, json={"status": "Cancelled"}).json
    assert cancelled["status"] == "Cancelled"
    assert cancelled["deliverySummary"]["pending"] == 1
    assert cancelled["deliverySummary"]["cancelled"] == 2
