"""The Event Collector of seed 003, as those who report to it see it."""

from typing import Any

import pytest
from falcon import testing

from communication.events.event_model import COLLECTED_EVENT, STAGED_EVENT
from communication.events.happening import Kind
from communication.store import Store
from tests.api import check_error, client
from tests.messages import rows

EVENTS = "/api/v1/events"
ACME = {"X-TWC-Tenant": "Acme"}
SAMPLE = {
    "entity_id": "string",
    "event_payload": {
        "base64_encoded_payload_json": "ewoiaWQiOiIxMiIsCiJyZWZlcmVuY2UiOiIxMjEyMyIKfQ==",
        "key_attributes": {
            "correlationId": "123123123-123123-123123123",
            "referenceId": "referenceId",
            "timestamp": "time at error occured",
            "additionalKey1": "value1",
        },
        "operation": "BULK_CREATE",
        "base64_encoded_fault_json": "eyJpZCI6IjEyXCJ9",
    },
    "event_source": "APPLICATION",
    "event_type": "FAULT",
}
"""The seed's own, with one of its operations."""


@pytest.fixture
def api(store: Store) -> testing.TestClient:
    return client(store)


@pytest.fixture
def small(sqlite_store: Store) -> testing.TestClient:
    """The API over SQLite alone."""
    return client(
        sqlite_store, event_types="RAIN, SNOW", event_sources="SKY", event_operations="FALL"
    )


def post(api: testing.TestClient, body: Any, **headers: str) -> testing.Result:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return api.simulate_post(EVENTS, json=body, headers=ACME | named)


def event(payload: Any = None, **changes: Any) -> dict[str, Any]:
    body = {
        "entity_id": "7",
        "event_payload": {"operation": "READ"} if payload is None else payload,
        "event_source": "ORDER",
        "event_type": "WARNING",
        **changes,
    }
    return {name: value for name, value in body.items() if value is not None}


def test_the_seeds_sample_is_stored_and_told(store: Store, api: testing.TestClient) -> None:
    result = post(api, SAMPLE)

    assert result.status_code == 201
    public_id = result.json["id"]
    payload = SAMPLE["event_payload"]
    assert isinstance(payload, dict)
    whole = SAMPLE | {"id": public_id, "event_payload": payload | {"entity_id": "string"}}
    assert result.json == whole
    assert result.headers["location"] == f"{EVENTS}/{public_id}"
    read = api.simulate_get(f"{EVENTS}/{public_id}", headers=ACME)
    assert (read.status_code, read.json) == (200, whole)
    (stored,) = rows(store, COLLECTED_EVENT)
    assert (stored.tenant, stored.body) == ("Acme", whole)
    (told,) = rows(store, STAGED_EVENT)
    assert (told.kind, told.type, told.tenant) == (Kind.COLLECTED, "FAULT", "Acme")
    assert told.id == public_id
    assert (told.payload["eventId"], told.payload["eventType"]) == (public_id, "FAULT")
    assert told.payload | whole == told.payload


def test_tenants_are_apart(api: testing.TestClient) -> None:
    public_id = post(api, SAMPLE).json["id"]
    other = api.simulate_get(f"{EVENTS}/{public_id}", headers={"X-TWC-Tenant": "Other"})
    check_error(other, 404, 60)
    missing = api.simulate_get(f"{EVENTS}/none", headers=ACME)
    assert missing.json["message"].replace("none", public_id) == other.json["message"]


def test_idempotency_keys_are_apart_for_tenants(store: Store, api: testing.TestClient) -> None:
    first = post(api, SAMPLE, Idempotency_Key="k")
    again = post(api, SAMPLE, Idempotency_Key="k")
    assert again.json == first.json
    assert again.headers["idempotent-replayed"] == "true"
    other = post(api, event(), X_TWC_Tenant="Other", Idempotency_Key="k")
    assert other.status_code == 201
    assert len(rows(store, COLLECTED_EVENT)) == 2


def test_ids_are_ours_and_unique(small: testing.TestClient) -> None:
    ids = {post(small, event(id="mine")).json["id"] for _ in range(3)}
    assert len(ids) == 3
    assert "mine" not in ids


def test_what_may_be_left_out(small: testing.TestClient) -> None:
    result = post(small, event(entity_name="An order", colour="red"))
    body = result.json
    assert body.pop("id")
    assert body == {
        "entity_id": "7",
        "entity_name": "An order",
        "colour": "red",
        "event_payload": {"entity_id": "7", "key_attributes": {}, "operation": "READ"},
        "event_source": "ORDER",
        "event_type": "WARNING",
    }


def test_settings_add_to_the_lists(small: testing.TestClient) -> None:
    added = event({"operation": "FALL"}, event_type="SNOW", event_source="SKY")
    assert post(small, added).status_code == 201


def test_the_header_is_required(small: testing.TestClient) -> None:
    check_error(small.simulate_post(EVENTS, json=SAMPLE), 400, 25, "X-TWC-Tenant")
    check_error(small.simulate_get(f"{EVENTS}/1"), 400, 25, "X-TWC-Tenant")
    check_error(post(small, SAMPLE, X_TWC_Tenant="a b"), 400, 26, "X-TWC-Tenant")
    check_error(post(small, SAMPLE, X_TWC_Tenant="x" * 129), 400, 26, "X-TWC-Tenant")


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        (event(entity_id=None), 23, "entity_id"),
        (event(entity_id=" "), 24, "entity_id"),
        (event(entity_id=7), 24, "entity_id"),
        (event(entity_name=7), 24, "entity_name"),
        (event(event_source=None), 23, "event_source"),
        (event(event_source="MOON"), 24, "event_source"),
        (event(event_type=None), 23, "event_type"),
        (event(event_type="fault"), 24, "event_type"),
        (event() | {"event_payload": None}, 23, "event_payload"),
        (event("text"), 24, "event_payload"),
        (event({}), 23, "event_payload.operation"),
        (event({"operation": "GUESS"}), 24, "event_payload.operation"),
        (
            event({"operation": "READ", "base64_encoded_fault_json": "not base64!"}),
            24,
            "event_payload.base64_encoded_fault_json",
        ),
        (
            event({"operation": "READ", "base64_encoded_payload_json": "abc"}),
            24,
            "event_payload.base64_encoded_payload_json",
        ),
        (
            event({"operation": "READ", "key_attributes": ["a"]}),
            24,
            "event_payload.key_attributes",
        ),
    ],
    ids=str,
)
def test_a_fault_is_named(
    small: testing.TestClient, body: dict[str, Any], code: int, field: str
) -> None:
    check_error(post(small, body), 400, code, f"{field}: ")


def test_what_can_be_no_id_is_400(small: testing.TestClient) -> None:
    check_error(small.simulate_get(f"{EVENTS}/a%20b", headers=ACME), 400, 20)
    check_error(small.simulate_delete(f"{EVENTS}/1", headers=ACME), 405, 61)
