"""The listener of seed 000, as those who post events to it see it."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from falcon import testing

from api.context import Context
from communication.errors import ServiceUnavailable
from communication.events.event_model import HEARD_EVENT, STAGED_EVENT
from communication.events.happening import Kind
from communication.store import Store
from tests.api import client
from tests.contract_schema import check_schema
from tests.messages import rows

CONTRACT = "listener-1.0.0.swagger.json"
LISTENER = "/externalapi/listener/v1/listener"
MEDIA_TYPE = "application/json;charset=utf-8"
JSON = {"Content-Type": MEDIA_TYPE}


def event(**changes: Any) -> dict[str, Any]:
    """A service order that has changed its state."""
    body = {
        "eventId": "e-1",
        "eventDate": "2026-11-21T08:00:00Z",
        "eventType": "ServiceOrderStateChangeNotification",
        "event": {"id": "so-1", "state": "inProgress", "note": "grüße"},
        **changes,
    }
    return {name: value for name, value in body.items() if value is not None}


@pytest.fixture
def api(store: Store) -> testing.TestClient:
    return client(store)


@pytest.fixture
def small(sqlite_store: Store) -> testing.TestClient:
    """The API over SQLite alone."""
    return client(sqlite_store, max_body=20_000)


def post(api: testing.TestClient, body: Any, query: str = "", **headers: str) -> testing.Result:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return api.simulate_post(LISTENER, json=body, query_string=query, headers=JSON | named)


def check_refused(result: testing.Result, status: int, code: int, *words: str) -> None:
    """Check that it is an error of the published contract."""
    body = result.json
    check_schema(CONTRACT, "ErrorRepresentation", body)
    assert result.headers["content-type"] == MEDIA_TYPE
    assert (result.status_code, body["status"], body["code"]) == (status, status, code), body
    for word in words:
        assert word in body["message"]


def test_an_event_is_stored_told_and_echoed(store: Store, api: testing.TestClient) -> None:
    result = post(api, event())

    assert (result.status_code, result.json) == (201, event())
    assert result.headers["content-type"] == MEDIA_TYPE
    check_schema(CONTRACT, "Listener", result.json)
    (stored,) = rows(store, HEARD_EVENT)
    assert (stored.event_id, stored.order_id, stored.body) == ("e-1", "so-1", event())
    (told,) = rows(store, STAGED_EVENT)
    assert (told.kind, told.type) == (Kind.HEARD, "ServiceOrderStateChangeNotification")
    assert (told.payload, told.tenant) == (event(), "default")


def test_the_same_event_again_is_stored_once(store: Store, api: testing.TestClient) -> None:
    post(api, event())
    again = post(api, dict(reversed(event().items())))

    assert (again.status_code, again.json) == (201, event())
    assert len(rows(store, HEARD_EVENT)) == len(rows(store, STAGED_EVENT)) == 1


def test_another_event_of_the_same_id_is_unprocessable(
    store: Store, api: testing.TestClient
) -> None:
    post(api, event())
    check_refused(post(api, event(event={"id": "so-2"})), 422, 63, "eventId")
    assert len(rows(store, HEARD_EVENT)) == len(rows(store, STAGED_EVENT)) == 1


def test_the_same_event_from_many_at_once_is_stored_once(
    store: Store, api: testing.TestClient
) -> None:
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda _: post(api, event()).status_code, range(24)))

    assert statuses == [201] * 24
    assert len(rows(store, HEARD_EVENT)) == len(rows(store, STAGED_EVENT)) == 1


def test_a_heard_event_can_be_read_again(api: testing.TestClient) -> None:
    post(api, event(eventId="é/1"))
    read = api.simulate_get(f"{LISTENER}/%C3%A9%2F1")
    assert (read.status_code, read.json) == (200, event(eventId="é/1"))
    check_refused(api.simulate_get(f"{LISTENER}/e-2"), 404, 60)


def test_an_idempotency_key_stands_for_one_event(api: testing.TestClient) -> None:
    assert post(api, event(), Idempotency_Key="k").status_code == 201
    again = post(api, event(), Idempotency_Key="k")
    assert (again.status_code, again.headers["idempotent-replayed"]) == (201, "true")
    assert again.headers["content-type"] == MEDIA_TYPE
    check_refused(post(api, event(eventId="e-2"), Idempotency_Key="k"), 422, 63, "Idempotency-Key")


def test_attributes_of_the_senders_own_are_kept(small: testing.TestClient) -> None:
    body = event(correlationId="c", event={"anything": [1, None, {"at": "all"}]})
    assert post(small, body).json == body


def test_fields_selects_what_is_answered(small: testing.TestClient) -> None:
    result = post(small, event(), query="fields=eventType,eventDate")
    assert set(result.json) == {"eventId", "eventType", "eventDate"}


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("2026-11-21T09:00:00+01:00", "2026-11-21T09:00:00+01:00"),
        ("2016-12-19 T04:00:00.0Z", "2016-12-19T04:00:00.000Z"),
        ("20261121T080000Z", "2026-11-21T08:00:00.000Z"),
    ],
)
def test_a_date_is_echoed_as_a_date(small: testing.TestClient, given: str, shown: str) -> None:
    assert post(small, event(eventDate=given)).json["eventDate"] == shown


@pytest.mark.parametrize(
    ("changes", "code", "word"),
    [
        ({"eventId": None}, 23, "eventId"),
        ({"eventDate": None}, 23, "eventDate"),
        ({"eventType": None}, 23, "eventType"),
        ({"event": None}, 23, "event"),
        ({"eventId": ""}, 24, "eventId"),
        ({"eventId": " "}, 24, "eventId"),
        ({"eventId": "a\nb"}, 24, "eventId"),
        ({"eventId": "x" * 257}, 24, "eventId"),
        ({"eventId": 5}, 24, "eventId"),
        ({"eventDate": "yesterday"}, 24, "eventDate"),
        ({"eventDate": "2026-11-21T08:00:00"}, 24, "eventDate"),
        ({"eventDate": 5}, 24, "eventDate"),
        ({"eventType": "ServiceOrderRemoveNotification"}, 24, "eventType"),
        ({"event": "so-1"}, 24, "event"),
        ({"event": []}, 24, "event"),
    ],
    ids=str,
)
def test_a_fault_of_a_field_is_named(
    small: testing.TestClient, changes: dict[str, Any], code: int, word: str
) -> None:
    check_refused(post(small, event(**changes)), 400, code, f"{word}: ")


def test_faults_of_the_body(small: testing.TestClient) -> None:
    check_refused(small.simulate_post(LISTENER, headers=JSON), 400, 21)
    check_refused(small.simulate_post(LISTENER, headers=JSON, body=b"{"), 400, 22)
    check_refused(small.simulate_post(LISTENER, headers=JSON, body=b"[]"), 400, 22)
    check_refused(small.simulate_post(LISTENER, headers=JSON, body=b" " * 20_001), 413, 22)
    text = {"Content-Type": "text/plain"}
    check_refused(small.simulate_post(LISTENER, headers=text, body=b"{}"), 415, 22)


def test_faults_of_headers(small: testing.TestClient) -> None:
    check_refused(small.simulate_post(LISTENER, body=b"{}"), 400, 25, "Content-Type")
    latin = {"Content-Type": "application/json;charset=latin1"}
    check_refused(small.simulate_post(LISTENER, headers=latin, body=b"{}"), 400, 26)
    check_refused(post(small, event(), Idempotency_Key="ö"), 400, 26)


def test_faults_of_query_parameters(small: testing.TestClient) -> None:
    check_refused(post(small, event(), query="fields="), 400, 27, "fields")
    check_refused(post(small, event(), query="fields=eventId,colour"), 400, 28, "colour")


@pytest.mark.parametrize("event_id", ["a%0Ab", "x" * 257, "%20"])
def test_what_can_be_no_id_is_a_fault_of_the_path(small: testing.TestClient, event_id: str) -> None:
    check_refused(small.simulate_get(f"{LISTENER}/{event_id}"), 400, 20)


def test_other_methods_and_paths(small: testing.TestClient) -> None:
    check_refused(small.simulate_get(LISTENER), 405, 61)
    check_refused(small.simulate_post("/externalapi/listener/v1/other"), 404, 60)


def test_a_database_that_is_away_is_told_in_the_contracts_body(
    small: testing.TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_given: object) -> None:
        raise ServiceUnavailable("no route to db.internal")

    monkeypatch.setattr(Context, "once", away)
    result = post(small, event())
    check_refused(result, 503, 5, "try again")
    assert "db.internal" not in result.text


def test_an_error_of_ours_is_told_without_a_traceback(
    small: testing.TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Context, "once", lambda *_given: 1 / 0)
    check_refused(post(small, event()), 500, 1, "internal error")


def test_an_order_of_any_id_is_heard(api: testing.TestClient) -> None:
    name = "".join(chr(0x4E00 + number * 7 % 20_000) for number in range(3000))
    for event_id, order in (("long", name), ("number", 5), ("object", {"a": 1}), ("none", None)):
        body = event(eventId=event_id, event={"id": order, "state": "completed"})
        assert post(api, body).status_code == 201
