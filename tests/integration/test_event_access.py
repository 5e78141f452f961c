"""Who may tell, poll and collect: every way in which seeds 000, 001 and 003 keep somebody out."""

from pathlib import Path
from typing import Any

import pytest
from falcon import testing

from communication.store import Store
from tests.api import client
from tests.contract_schema import check_schema
from tests.events import hear
from tests.issuer import Issuer

ISSUER = Issuer()
LISTENER = "/externalapi/listener/v1/listener"
SUBSCRIPTIONS = "/notification/v1/subscriptions"
EVENTS = "/api/v1/events"
HEARD = {
    "eventId": "e",
    "eventDate": "2026-11-21T08:00:00Z",
    "eventType": "ServiceOrderCreationNotification",
    "event": {},
}
COLLECTED = {
    "entity_id": "1",
    "event_payload": {"operation": "READ"},
    "event_source": "ORDER",
    "event_type": "WARNING",
}
POSTS = {
    LISTENER: HEARD,
    SUBSCRIPTIONS: {"event_type_ids": ["FAULT"], "client_id": "shop"},
    EVENTS: COLLECTED,
}
TENANT = {"X-TWC-Tenant": "a"}


@pytest.fixture
def api(sqlite_store: Store, tmp_path: Path) -> testing.TestClient:
    return limited(sqlite_store, tmp_path)


def limited(store: Store, folder: Path, **settings: Any) -> testing.TestClient:
    return client(store, jwks=str(ISSUER.publish(folder / "jwks.json")), **settings)


def post(api: testing.TestClient, path: str, headers: dict[str, str]) -> testing.Result:
    return api.simulate_post(path, json=POSTS[path], headers=TENANT | headers)


def check_refused(result: testing.Result, path: str, status: int, code: int) -> None:
    body = result.json
    given = f"NOT0000{code:02}" if path == SUBSCRIPTIONS else code
    assert (result.status_code, body["code"]) == (status, given), body
    if path == LISTENER:
        check_schema("listener-1.0.0.swagger.json", "ErrorRepresentation", body)
        assert body["status"] == status
        assert result.headers["content-type"] == "application/json;charset=utf-8"


@pytest.mark.parametrize("path", POSTS)
def test_credentials(api: testing.TestClient, path: str) -> None:
    check_refused(post(api, path, {}), path, 401, 40)
    check_refused(post(api, path, {"Authorization": "Bearer x"}), path, 401, 41)
    check_refused(post(api, path, ISSUER.bearer(exp=1)), path, 401, 42)
    assert post(api, path, ISSUER.bearer()).status_code == 201


@pytest.mark.parametrize("path", POSTS)
def test_another_tenant_and_a_lacking_scope(api: testing.TestClient, path: str) -> None:
    check_refused(post(api, path, ISSUER.bearer(tenant="b")), path, 403, 50)
    check_refused(post(api, path, ISSUER.bearer(scope="communication:read")), path, 403, 51)


@pytest.mark.parametrize("path", POSTS)
def test_a_user_who_is_not_let_in_any_more(sqlite_store: Store, tmp_path: Path, path: str) -> None:
    api = limited(sqlite_store, tmp_path, forbidden_users="eve, mallory")
    check_refused(post(api, path, ISSUER.bearer(sub="mallory")), path, 403, 52)
    assert post(api, path, ISSUER.bearer(sub="bob")).status_code == 201


@pytest.mark.parametrize("path", POSTS)
def test_too_many_requests(sqlite_store: Store, tmp_path: Path, path: str) -> None:
    api = limited(sqlite_store, tmp_path, rate_per_client="1/hour")
    post(api, path, ISSUER.bearer())
    refused = post(api, path, ISSUER.bearer())
    check_refused(refused, path, 403 if path == LISTENER else 429, 53)
    assert refused.headers["retry-after"]


@pytest.mark.parametrize("path", [LISTENER, EVENTS])
def test_more_events_wait_to_be_told_than_may(
    sqlite_store: Store, tmp_path: Path, path: str
) -> None:
    hear(sqlite_store, 1, 2)
    api = limited(sqlite_store, tmp_path, max_backlog=2)
    refused = post(api, path, ISSUER.bearer())
    check_refused(refused, path, 503, 6)
    assert refused.headers["retry-after"]
    roomy = limited(sqlite_store, tmp_path, max_backlog=3)
    assert post(roomy, path, ISSUER.bearer()).status_code == 201


def test_the_header_names_the_tokens_own_tenant(api: testing.TestClient) -> None:
    made = post(api, EVENTS, ISSUER.bearer()).json
    path = f"{EVENTS}/{made['id']}"
    assert api.simulate_get(path, headers=TENANT | ISSUER.bearer()).status_code == 200
    check_refused(api.simulate_get(path, headers=ISSUER.bearer()), EVENTS, 400, 25)
    theirs = {"X-TWC-Tenant": "b"} | ISSUER.bearer(tenant="b")
    check_refused(api.simulate_get(path, headers=theirs), EVENTS, 404, 60)


def test_what_one_tenant_heard_another_does_not_know(api: testing.TestClient) -> None:
    post(api, LISTENER, ISSUER.bearer())
    theirs = api.simulate_get(f"{LISTENER}/e", headers=ISSUER.bearer(tenant="b"))
    check_refused(theirs, LISTENER, 404, 60)
    other = HEARD | {"event": {"another": "one"}}
    posted = api.simulate_post(LISTENER, json=other, headers=ISSUER.bearer(tenant="b"))
    assert posted.status_code == 201


def test_a_subscription_is_its_own_clients(api: testing.TestClient) -> None:
    admin = ISSUER.bearer(client_id="admin", scope="notification:consent:administrator")
    made = post(api, SUBSCRIPTIONS, admin).json
    assert made["subscription"]["subscribed_by"] == "admin"
    path = f"{SUBSCRIPTIONS}/{made['id']}"
    consumer = {"scope": "notification:consent:consumer"}
    for what in (path, f"{path}/notifications"):
        assert api.simulate_get(what, headers=ISSUER.bearer(**consumer)).status_code == 200
        other = ISSUER.bearer(client_id="other", **consumer)
        check_refused(api.simulate_get(what, headers=other), SUBSCRIPTIONS, 404, 60)
        tenant = ISSUER.bearer(tenant="b", **consumer)
        check_refused(api.simulate_get(what, headers=tenant), SUBSCRIPTIONS, 404, 60)
        check_refused(api.simulate_get(what, headers=admin), SUBSCRIPTIONS, 403, 51)
    theirs = ISSUER.bearer(tenant="b")
    check_refused(api.simulate_delete(path, headers=theirs), SUBSCRIPTIONS, 404, 60)
    check_refused(
        api.simulate_delete(path, headers=ISSUER.bearer(**consumer)), SUBSCRIPTIONS, 403, 51
    )
    assert api.simulate_delete(path, headers=admin).status_code == 200
