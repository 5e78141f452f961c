"""What failed for good is reported into the Event Collector, with no secret and nobody's name."""

import base64
from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson
from sqlalchemy import update

from communication.clock import now
from communication.events.event_model import COLLECTED_EVENT, STAGED_EVENT
from communication.events.faults import Fault, report
from communication.events.happening import Kind
from communication.ids import delivery_id
from communication.model import State
from communication.privacy.purging import purge
from communication.store import Store
from tests.events import end_deliveries
from tests.messages import email, rows, store_message
from worker.outcomes import settle

REFUSED = "550 5.1.1 <receiver-0@example.com>: no such user, password hush"


def decoded(event: dict[str, Any], name: str) -> Any:
    return orjson.loads(base64.b64decode(event["event_payload"][f"base64_encoded_{name}_json"]))


def test_a_failed_delivery_is_reported_and_told(store: Store) -> None:
    head = store_message(store, email(2, id="order-1"))
    end_deliveries(store, State.FAILED, REFUSED)

    first, second = rows(store, COLLECTED_EVENT)
    public_id = delivery_id(head.uid, 1, 0)
    assert (first.tenant, first.to_forward) == ("default", True)
    assert first.body["id"] == first.id != second.id
    assert (first.body["entity_id"], first.body["entity_name"]) == (public_id, "delivery")
    assert (first.body["event_type"], first.body["event_source"]) == ("FAULT", "APPLICATION")
    assert first.body["event_payload"]["operation"] == "CREATE"
    attributes = first.body["event_payload"]["key_attributes"]
    assert (attributes["correlationId"], attributes["referenceId"]) == ("order-1", public_id)
    assert decoded(first.body, "payload")["communicationMessage"] == "order-1"
    assert decoded(first.body, "fault") == {"reason": "address refused", "attempts": 1}
    assert second.body["entity_id"] == delivery_id(head.uid, 1, 1)
    told = [event for event in rows(store, STAGED_EVENT) if event.kind == Kind.COLLECTED]
    assert [(event.type, event.payload["entity_id"]) for event in told] == [
        ("FAULT", public_id),
        ("FAULT", second.body["entity_id"]),
    ]


def test_nothing_personal_is_in_a_fault(store: Store) -> None:
    store_message(store, email(1))
    end_deliveries(store, State.FAILED, REFUSED)
    (event,) = rows(store, COLLECTED_EVENT)
    whole = f"{event.body}{decoded(event.body, 'payload')}{decoded(event.body, 'fault')}"
    assert not any(word in whole for word in ("receiver-0", "example.com", "hush"))


def test_what_did_not_fail_is_not_reported(store: Store) -> None:
    store_message(store, email(1))
    end_deliveries(store, State.DELIVERED)
    store_message(store, email(1))
    end_deliveries(store, State.CANCELLED)
    assert rows(store, COLLECTED_EVENT) == []


def test_a_fault_is_reported_once_though_it_is_settled_again(store: Store) -> None:
    store_message(store, email(1))
    (outcome,) = end_deliveries(store, State.FAILED, REFUSED)
    with store.write() as connection:
        settle(connection, [replace(outcome)], lease="worker", now=outcome.at)
    assert len(rows(store, COLLECTED_EVENT)) == 1


def test_other_things_that_failed_are_reported_alike(store: Store) -> None:
    fault = Fault(
        tenant="Acme",
        entity_id="hub-1",
        entity_name="hub",
        operation="UPDATE",
        payload={"eventId": "e"},
        fault={"reason": "HTTP 500"},
        key_attributes={"referenceId": "hub-1"},
    )
    with store.write() as connection:
        report(connection, [fault])
    (event,) = rows(store, COLLECTED_EVENT)
    assert (event.tenant, event.body["entity_id"]) == ("Acme", "hub-1")
    assert decoded(event.body, "fault") == {"reason": "HTTP 500"}


def test_nothing_to_report_is_no_statement(store: Store) -> None:
    with store.write() as connection:
        report(connection, [])
    assert rows(store, COLLECTED_EVENT) == []


def test_old_faults_are_purged_though_there_is_nowhere_to_forward_them(store: Store) -> None:
    store_message(store, email(1))
    end_deliveries(store, State.FAILED, REFUSED)
    assert purge(store, now() + timedelta(minutes=1))["collected events"] == 0
    with store.write() as connection:
        connection.execute(update(COLLECTED_EVENT).values(created_at=now() - timedelta(days=2)))
    assert purge(store, now() - timedelta(days=1))["collected events"] == 1
