"""A hub's callbacks, recovery, secrets and test, over HTTP (docs/hub.md)."""

from datetime import timedelta
from typing import Any

import pytest
from falcon import testing
from sqlalchemy import update
from standardwebhooks import Webhook

from communication.clock import now, parse, to_wire
from communication.events.told import CREATION
from communication.hubs.listener_model import CALLBACK, CALLBACK_BODY, HUB
from communication.hubs.registration import signing_secrets
from communication.model import State
from communication.store import Store
from tests.api import check_error, client
from tests.messages import rows
from worker.hubs.signature import signed_headers

CALLBACK_URL = "http://in.listener.com"


@pytest.fixture
def api(store: Store) -> testing.TestClient:
    return client(store)


@pytest.fixture
def hub(api: testing.TestClient) -> dict[str, Any]:
    registered: dict[str, Any] = api.simulate_post("/hub", json={"callback": CALLBACK_URL}).json
    return registered


def post(api: testing.TestClient, hub: dict[str, Any], action: str, **body: Any) -> Any:
    return api.simulate_post(f"/hub/{hub['id']}/{action}", json=body or None)


def end(store: Store, state: State) -> None:
    with store.write() as connection:
        connection.execute(update(CALLBACK).values(state=state, due_at=None, ended_at=now()))


def test_a_test_is_due_at_once_and_listed(api: testing.TestClient, hub: dict[str, Any]) -> None:
    result = post(api, hub, "test")
    assert result.status_code == 202
    listed = api.simulate_get(f"/hub/{hub['id']}/callback").json
    assert [(one["eventId"], one["eventType"], one["state"]) for one in listed] == [
        (result.json["eventId"], CREATION, "pending")
    ]
    assert listed[0]["attempts"] == []


def test_callbacks_are_paged_and_filtered_by_state(
    api: testing.TestClient, store: Store, hub: dict[str, Any]
) -> None:
    for _ in range(3):
        post(api, hub, "test")
    end(store, State.FAILED)
    post(api, hub, "test")
    path = f"/hub/{hub['id']}/callback"

    assert len(api.simulate_get(path).json) == 4
    failed = api.simulate_get(path, params={"state": "failed", "limit": 2})
    assert (failed.status_code, failed.headers["x-total-count"]) == (206, "3")
    assert {one["state"] for one in failed.json} == {"failed"}
    assert 'rel="next"' in failed.headers["link"]


@pytest.mark.parametrize("parameter", ["state=sending", "limit=x", "offset=-1", "until=5"])
def test_a_parameter_that_can_not_be_understood_is_named(
    api: testing.TestClient, hub: dict[str, Any], parameter: str
) -> None:
    result = api.simulate_get(f"/hub/{hub['id']}/callback", query_string=parameter)
    check_error(result, 400, 28, parameter.partition("=")[0])


def test_what_failed_since_is_sent_again_from_the_first_try_on(
    api: testing.TestClient, store: Store, hub: dict[str, Any]
) -> None:
    before = now()
    for _ in range(3):
        post(api, hub, "test")
    end(store, State.FAILED)
    with store.write() as connection:
        first = rows(store, CALLBACK)[0].key
        old = before - timedelta(days=1)
        connection.execute(update(CALLBACK).where(CALLBACK.c.key == first).values(created_at=old))
        connection.execute(update(CALLBACK).values(attempts=10))
        connection.execute(update(HUB).values(state="disabled", failing_since=old))
    assert api.simulate_get(f"/hub/{hub['id']}").json["state"] == "disabled"

    result = post(api, hub, "recover", since=to_wire(before - timedelta(seconds=1)))

    assert (result.status_code, result.json) == (200, {"recovered": 2})
    assert [(row.state, row.attempts) for row in rows(store, CALLBACK)] == [
        (State.FAILED, 10),
        (State.PENDING, 0),
        (State.PENDING, 0),
    ]
    assert api.simulate_get(f"/hub/{hub['id']}").json["state"] == "active"


@pytest.mark.parametrize(
    ("body", "code"), [({"other": 1}, 23), ({"since": "yesterday"}, 24), ({"since": 5}, 24)]
)
def test_recovery_needs_a_time(
    api: testing.TestClient, hub: dict[str, Any], body: dict[str, Any], code: int
) -> None:
    check_error(post(api, hub, "recover", **body), 400, code, "since")


def test_a_replaced_secret_signs_beside_the_new_one_for_a_while(
    api: testing.TestClient, store: Store, hub: dict[str, Any]
) -> None:
    rotated = post(api, hub, "rotateSecret")

    assert rotated.status_code == 200
    assert rotated.json["secret"] != hub["secret"]
    (row,) = rows(store, HUB)
    until = parse(rotated.json["oldSecretUntil"])
    both = signed_headers(signing_secrets(row, now()), "e1", b"{}", at=now())
    Webhook(hub["secret"]).verify(b"{}", both)
    Webhook(rotated.json["secret"]).verify(b"{}", both)
    assert len(signing_secrets(row, until + timedelta(seconds=1))) == 1
    assert "secret" not in api.simulate_get(f"/hub/{hub['id']}").json


def test_a_disabled_hub_is_not_tested(
    api: testing.TestClient, store: Store, hub: dict[str, Any]
) -> None:
    with store.write() as connection:
        connection.execute(update(HUB).values(state="disabled"))
    check_error(post(api, hub, "test"), 409, 62, "recover")


def test_a_deleted_hubs_open_callbacks_are_dropped(
    api: testing.TestClient, store: Store, hub: dict[str, Any]
) -> None:
    post(api, hub, "test")
    api.simulate_delete(f"/hub/{hub['id']}")
    assert rows(store, CALLBACK) == []
    assert len(rows(store, CALLBACK_BODY)) == 1


def test_of_hubs_that_are_not_there_nothing_is_said(api: testing.TestClient) -> None:
    nobody = {"id": "nobody"}
    check_error(api.simulate_get("/hub/nobody/callback"), 404, 60)
    check_error(post(api, nobody, "rotateSecret"), 404, 60)
    check_error(post(api, nobody, "test"), 404, 60)
    check_error(post(api, nobody, "recover", since="2026-11-21T08:00:00Z"), 404, 60)
    check_error(api.simulate_get("/hub/a b/callback"), 400, 20)


def test_a_rotation_with_a_key_happens_once(
    api: testing.TestClient, store: Store, hub: dict[str, Any]
) -> None:
    answers = [
        api.simulate_post(f"/hub/{hub['id']}/rotateSecret", headers={"Idempotency-Key": "k"})
        for _ in range(2)
    ]
    assert answers[0].json == answers[1].json
    assert rows(store, HUB)[0].old_secret == hub["secret"]


def test_metrics_tell_how_hubs_are_and_how_long_those_that_are_well_wait(
    api: testing.TestClient, store: Store, hub: dict[str, Any]
) -> None:
    post(api, hub, "test")
    with store.write() as connection:
        connection.execute(update(CALLBACK).values(due_at=now() - timedelta(minutes=1)))
    assert _samples(api)['tidings_callback_age_seconds{tenant="default"}'] > 50
    assert _samples(api)['tidings_hubs{state="active",tenant="default"}'] == 1

    with store.write() as connection:
        connection.execute(update(HUB).values(failing_since=now()))
    assert _samples(api)['tidings_callback_age_seconds{tenant="default"}'] == 0
    assert _samples(api)['tidings_hubs{state="failing",tenant="default"}'] == 1


def _samples(api: testing.TestClient) -> dict[str, float]:
    lines = api.simulate_get("/metrics").text.splitlines()
    pairs = [line.rsplit(" ", 1) for line in lines if not line.startswith("#")]
    return {name: float(value) for name, value in pairs}
