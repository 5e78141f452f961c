"""Hubs over HTTP (seed 004: register and unregister listener)."""

import base64
from typing import Any

import pytest
from falcon import testing

from communication.store import Store
from tests.api import check_error, client

CALLBACK = "http://in.listener.com"


@pytest.fixture
def api(store: Store) -> testing.TestClient:
    return client(store)


def test_the_seeds_sample(api: testing.TestClient) -> None:
    result = api.simulate_post("/api/hub", json={"callback": CALLBACK, "id": "42"})
    assert result.status_code == 201
    hub = result.json
    assert result.headers["location"] == f"/api/hub/{hub['id']}"
    assert hub == {"id": hub["id"], "callback": CALLBACK, "query": None, "secret": hub["secret"]}
    assert hub["id"] != "42"
    assert len(base64.b64decode(hub["secret"].removeprefix("whsec_"), validate=True)) == 32


def test_the_secret_is_shown_only_once(api: testing.TestClient) -> None:
    hub = api.simulate_post("/hub", json={"callback": CALLBACK}).json
    del hub["secret"]
    hub["state"] = "active"
    assert api.simulate_get(f"/hub/{hub['id']}").json == hub
    assert api.simulate_get("/communicationMessage/v1/hub").json == [hub]


def test_a_hub_that_is_deleted_is_gone(api: testing.TestClient) -> None:
    path = api.simulate_post("/hub", json={"callback": CALLBACK}).headers["location"]
    assert api.simulate_delete(path).status_code == 204
    check_error(api.simulate_delete(path), 404, 60)
    check_error(api.simulate_get(path), 404, 60)
    assert api.simulate_get("/hub").json == []


def test_the_same_callback_and_query_are_registered_once(api: testing.TestClient) -> None:
    query = "eventType=CommunicationMessageCreationNotification"
    assert api.simulate_post("/hub", json={"callback": CALLBACK}).status_code == 201
    check_error(api.simulate_post("/hub", json={"callback": CALLBACK, "query": ""}), 409, 62)
    other = {"callback": CALLBACK, "query": query}
    assert api.simulate_post("/hub", json=other).json["query"] == query
    check_error(api.simulate_post("/hub", json=other), 409, 62)


def test_a_long_callback_with_a_long_query_is_registered(api: testing.TestClient) -> None:
    body = {
        "callback": f"{CALLBACK}/{'y' * 2000}",
        "query": "eventType=" + ",".join(f"Type{n}Notification" for n in range(80)),
    }
    assert api.simulate_post("/hub", json=body).status_code == 201


@pytest.mark.parametrize(
    "query",
    [
        "eventType=A,B",
        "eventType=A;B",
        " eventType = A & event.communicationMessage.status=Failed ",
        "eventType=A&fields=eventId",
    ],
)
def test_queries_are_kept_as_given(api: testing.TestClient, query: str) -> None:
    result = api.simulate_post("/hub", json={"callback": CALLBACK, "query": query})
    assert (result.status_code, result.json["query"]) == (201, query)


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({}, 23, "callback"),
        ({"callback": None}, 23, "callback"),
        ({"callback": 5}, 24, "callback"),
        ({"callback": "in.listener.com"}, 24, "callback"),
        ({"callback": "ftp://in.listener.com"}, 24, "callback"),
        ({"callback": "http://"}, 24, "callback"),
        ({"callback": "http://[::1"}, 24, "callback"),
        ({"callback": "http://in.listener.com:99999"}, 24, "callback"),
        ({"callback": "http://user:secret@in.listener.com"}, 24, "callback"),
        ({"callback": "http://in.listener.com/a b"}, 24, "callback"),
        ({"callback": "http://10.0.0.1/"}, 24, "callback"),
        ({"callback": "http://169.254.169.254/latest"}, 24, "callback"),
        ({"callback": "http://[::ffff:10.0.0.1]/"}, 24, "callback"),
        ({"callback": "http://in.listener.com/\n"}, 24, "callback"),
        ({"callback": "http://in.listener.com/" + "x" * 2048}, 24, "callback"),
        ({"callback": CALLBACK, "query": 5}, 24, "query"),
        ({"callback": CALLBACK, "query": "nonsense"}, 24, "query"),
        ({"callback": CALLBACK, "query": "eventId.regex=("}, 24, "query"),
        ({"callback": CALLBACK, "query": "eventType=A&limit=5"}, 24, "query"),
        ({"callback": CALLBACK, "query": "sort=eventTime"}, 24, "query"),
    ],
    ids=str,
)
def test_a_fault_is_named(
    api: testing.TestClient, body: dict[str, Any], code: int, field: str
) -> None:
    check_error(api.simulate_post("/hub", json=body), 400, code, f"{field}: ")
    assert api.simulate_get("/hub").json == []


@pytest.mark.parametrize("hub_id", ["a%00", "a b", "å"])
def test_what_can_be_no_id_is_400(api: testing.TestClient, hub_id: str) -> None:
    check_error(api.simulate_get(f"/hub/{hub_id}"), 400, 20)


@pytest.mark.parametrize(
    ("callback", "why"),
    [
        ("http://10.0.0.1/", "not a public one"),
        ("http://user:secret@in.listener.com", "user name or password"),
        ("ftp://in.listener.com", "http://"),
    ],
)
def test_why_a_callback_is_refused_is_said(
    api: testing.TestClient, callback: str, why: str
) -> None:
    check_error(api.simulate_post("/hub", json={"callback": callback}), 400, 24, why)


def test_loopback_is_allowed_only_as_long_as_the_operator_allows_it(store: Store) -> None:
    body = {"callback": "http://127.0.0.1:9/"}
    assert client(store).simulate_post("/hub", json=body).status_code == 201
    strict = client(store, callback_allow="")
    check_error(strict.simulate_post("/hub", json={"callback": "http://localhost:9/"}), 400, 24)
