"""Own faults go on to another Event Collector, however it fails, and nothing else does."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from communication.clock import now
from communication.events.collected import collect, new_collected
from communication.events.event_model import COLLECTED_EVENT, FORWARDING
from communication.events.faults import Fault, report
from communication.model import State
from communication.settings import Settings
from communication.store import Store
from tests.events import Calls
from tests.listener import Behaviour, Listener, answers, hangs_up, in_turn, listening
from tests.messages import rows
from tests.waiting import wait_until
from worker.forwarding import Forwarder, collector_url


def fault(number: int = 1) -> Fault:
    return Fault(
        tenant="Acme",
        entity_id=f"delivery-{number}",
        entity_name="delivery",
        operation="CREATE",
        payload={},
        fault={},
        key_attributes={},
    )


def report_faults(store: Store, *numbers: int) -> None:
    with store.write() as connection:
        report(connection, [fault(one) for one in numbers])


def forward_all(store: Store, url: str, schedule: str = "0,0,0") -> None:
    """Forward until nothing is due."""
    settings = Settings(event_collector_url=url, callback_schedule=schedule)
    with closing(Forwarder(store, settings, Calls())) as one:
        while one.step():
            pass


@contextmanager
def forwarding(store: Store, behave: Behaviour, schedule: str = "0,0,0") -> Iterator[Listener]:
    """A collector to which all that is due was forwarded, time after time."""
    with listening(behave) as collector:
        forward_all(store, collector.url, schedule)
        yield collector


def only(store: Store) -> Any:
    (row,) = rows(store, FORWARDING)
    return row


def test_a_fault_is_forwarded_as_it_is_with_its_tenant(store: Store) -> None:
    report_faults(store, 1)
    (event,) = rows(store, COLLECTED_EVENT)
    with forwarding(store, answers(201)) as collector:
        (heard,) = collector.heard
    assert heard.json | {"id": event.id} == event.body
    assert heard.headers["x-twc-tenant"] == "Acme"
    assert heard.headers["idempotency-key"] == event.id
    assert (only(store).state, only(store).status, only(store).due_at) == (
        State.DELIVERED,
        201,
        None,
    )


def test_what_clients_posted_is_not_forwarded(store: Store) -> None:
    with store.write() as connection:
        posted = new_collected("Acme", {"event_type": "FAULT", "entity_id": "1"}, now())
        collect(connection, [posted])
    with forwarding(store, answers(201)) as collector:
        assert collector.heard == []


@pytest.mark.parametrize(
    "first", [answers(502), answers(503, Retry_After="0"), hangs_up], ids=["502", "503", "hang up"]
)
def test_a_collector_that_fails_for_a_while_is_tried_again(store: Store, first: Behaviour) -> None:
    report_faults(store, 1)
    with forwarding(store, in_turn(first, first, answers(201))) as collector:
        assert len(collector.heard) == 3
        assert len({one.headers["idempotency-key"] for one in collector.heard}) == 1
    assert (only(store).state, only(store).attempts) == (State.DELIVERED, 3)


def test_it_waits_between_tries(store: Store) -> None:
    report_faults(store, 1)
    with forwarding(store, answers(503), "3600") as collector:
        assert len(collector.heard) == 1
    row = only(store)
    assert (row.state, row.status, row.ended_at) == (State.PENDING, 503, None)
    assert row.due_at > now() + timedelta(minutes=50)


@pytest.mark.parametrize(("status", "tries"), [(503, 4), (400, 1), (500, 1), (301, 1)])
def test_what_can_not_be_forwarded_is_given_up_and_never_itself_reported(
    store: Store, status: int, tries: int
) -> None:
    report_faults(store, 1)
    with forwarding(store, answers(status, Location="http://127.0.0.1:1/")) as collector:
        assert len(collector.heard) == tries
    assert (only(store).state, only(store).attempts) == (State.FAILED, tries)
    assert only(store).reason == f"the collector answered {status}"
    assert len(rows(store, COLLECTED_EVENT)) == 1


def test_a_collector_that_is_away_is_waited_for(store: Store) -> None:
    report_faults(store, 1)
    collector = Listener(answers(201))
    forward_all(store, collector.url, schedule="0.2")
    assert only(store).state == State.PENDING
    collector.open()
    wait_until(lambda: only(store).due_at < now())
    forward_all(store, collector.url)
    collector.close()
    assert len(collector.heard) == 1
    assert only(store).state == State.DELIVERED


def test_two_forwarders_send_each_fault_once(store: Store) -> None:
    report_faults(store, *range(100))
    with listening(answers(201)) as collector:
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda _: forward_all(store, collector.url), range(2)))
        entities = [one.json["entity_id"] for one in collector.heard]
    assert sorted(entities) == sorted(f"delivery-{number}" for number in range(100))


def test_faults_of_a_time_when_nothing_was_forwarded_stay(store: Store) -> None:
    report_faults(store, 1)
    with store.write() as connection:
        past = now() - timedelta(days=2)
        connection.execute(update(COLLECTED_EVENT).values(created_at=past))
    report_faults(store, 2)
    with forwarding(store, answers(201)) as collector:
        assert [one.json["entity_id"] for one in collector.heard] == ["delivery-2"]


def test_a_url_without_a_path_is_that_of_a_server() -> None:
    assert collector_url("http://collector:9") == "http://collector:9/api/v1/events"
    assert collector_url("http://collector:9/") == "http://collector:9/api/v1/events"
    assert collector_url("http://collector:9/own?a=1") == "http://collector:9/own?a=1"
