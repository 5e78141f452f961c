"""Idempotency-Key over HTTP."""

from typing import Any

import pytest
from falcon import testing

from communication.hubs.listener_model import HUB
from communication.model import IDEMPOTENCY, MESSAGE
from communication.store import Store
from tests.api import MESSAGES, check_error, client
from tests.messages import email, rows

KEY = {"Idempotency-Key": "order-1001"}


@pytest.fixture
def api(store: Store) -> testing.TestClient:
    return client(store)


@pytest.mark.parametrize("path", [MESSAGES, f"{MESSAGES}/send"])
def test_the_same_request_gets_the_first_answer(
    api: testing.TestClient, store: Store, path: str
) -> None:
    first = api.simulate_post(path, json=email(), headers=KEY)
    again = api.simulate_post(path, json=dict(reversed(email().items())), headers=KEY)
    assert (again.status_code, again.text) == (first.status_code, first.text)
    assert again.headers["location"] == first.headers["location"]
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    assert len(rows(store, MESSAGE)) == 1


def test_sending_by_id_again_sends_nothing(api: testing.TestClient, store: Store) -> None:
    api.simulate_post(MESSAGES, json=email(id="m1"))
    first = api.simulate_post(f"{MESSAGES}/m1/send", headers=KEY)
    again = api.simulate_post(f"{MESSAGES}/m1/send", json={}, headers=KEY)
    assert (again.status_code, again.text) == (200, first.text)
    assert rows(store, MESSAGE)[0].send == 1


def test_a_hub_is_registered_once_and_its_secret_given_again(
    api: testing.TestClient, store: Store
) -> None:
    body = {"callback": "http://in.listener.com"}
    first = api.simulate_post("/hub", json=body, headers=KEY)
    assert api.simulate_post("/hub", json=body, headers=KEY).json == first.json
    assert len(rows(store, HUB)) == 1


def test_the_key_with_another_body_is_refused(api: testing.TestClient, store: Store) -> None:
    api.simulate_post(MESSAGES, json=email(), headers=KEY)
    check_error(api.simulate_post(MESSAGES, json=email(priority=1), headers=KEY), 422, 63)
    assert len(rows(store, MESSAGE)) == 1


def test_keys_are_apart_for_each_route(api: testing.TestClient, store: Store) -> None:
    api.simulate_post(MESSAGES, json=email(), headers=KEY)
    api.simulate_post(f"{MESSAGES}/send", json=email(), headers=KEY)
    assert len(rows(store, MESSAGE)) == 2


def test_one_route_is_the_same_in_every_path_family(api: testing.TestClient, store: Store) -> None:
    api.simulate_post(MESSAGES, json=email(), headers=KEY)
    path = "/communicationMessage/v1/communicationMessage/"
    assert "idempotent-replayed" in api.simulate_post(path, json=email(), headers=KEY).headers
    assert len(rows(store, MESSAGE)) == 1


def test_a_refusal_is_not_kept(api: testing.TestClient, store: Store) -> None:
    assert api.simulate_post(MESSAGES, json=email(id="m1")).status_code == 201
    check_error(api.simulate_post(MESSAGES, json=email(id="m1"), headers=KEY), 409, 62)
    assert rows(store, IDEMPOTENCY) == []
    api.simulate_delete(f"{MESSAGES}/m1")
    assert api.simulate_post(MESSAGES, json=email(id="m1"), headers=KEY).status_code == 201


def test_a_key_that_is_too_old_is_forgotten(store: Store) -> None:
    api = client(store, idempotency_ttl=1e-6)
    answers = [api.simulate_post(MESSAGES, json=email(), headers=KEY) for _ in range(2)]
    assert [one.status_code for one in answers] == [201, 201]
    assert len(rows(store, MESSAGE)) == 2
    assert len(rows(store, IDEMPOTENCY)) == 1


@pytest.mark.parametrize("key", ["", "a b", "x" * 256, "é"])
def test_a_key_that_is_none_is_refused(api: testing.TestClient, key: str) -> None:
    headers: dict[str, Any] = {"Idempotency-Key": key}
    check_error(api.simulate_post(MESSAGES, json=email(), headers=headers), 400, 26)
