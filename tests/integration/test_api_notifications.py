"""Polled notifications (seed 001), as pollers see them, on every engine."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from falcon import testing
from redis import Redis

from api.app import create_app
from communication.clock import parse
from communication.redis_client import open_redis
from communication.settings import Settings
from communication.store import Store
from tests.polling import Telling
from tests.processes import free_port

BASE = "/notification/v1/subscriptions"
LISTENER = "/externalapi/listener/v1/listener"
STATE_CHANGE = "ServiceOrderStateChangeNotification"
CREATION = "ServiceOrderCreationNotification"
SETTINGS = Settings(public_url="https://tidings.example", notification_page_size=10)


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    with open_redis(Settings(redis_url=redis_url)) as opened:
        yield opened


@pytest.fixture
def api(store: Store, redis: Redis) -> testing.TestClient:
    return testing.TestClient(create_app(store, SETTINGS, redis=redis))


@pytest.fixture
def sqlite_api(sqlite_store: Store) -> testing.TestClient:
    return testing.TestClient(create_app(sqlite_store, SETTINGS))


@pytest.fixture
def tell(store: Store, redis: Redis, api: testing.TestClient) -> Callable[..., None]:
    telling = Telling(store, redis)

    def hear(*numbers: int, event_type: str = STATE_CHANGE) -> None:
        for number in numbers:
            event = {
                "eventId": f"e-{number}",
                "eventDate": "2026-11-21T08:00:00Z",
                "eventType": event_type,
                "event": {"number": number},
            }
            assert api.simulate_post(LISTENER, json=event).status_code == 201
        telling.run()

    return hear


def subscribe(api: testing.TestClient, *types: str, client_id: str = "poller") -> dict[str, Any]:
    body = {"event_type_ids": types or [STATE_CHANGE], "client_id": client_id}
    result = api.simulate_post(BASE, json=body)
    assert result.status_code == 201, result.json
    subscription: dict[str, Any] = result.json
    return subscription


def read(api: testing.TestClient, subscription: dict[str, Any], query: str = "") -> Any:
    result = api.simulate_get(f"{BASE}/{subscription['id']}/notifications", query_string=query)
    assert result.status_code == 200, result.json
    return result.json


def heard(page: Any) -> list[int]:
    return [one["event"]["number"] for one in page["results"]]


def left(api: testing.TestClient, subscription: dict[str, Any]) -> int:
    shown = api.simulate_get(f"{BASE}/{subscription['id']}").json
    return int(shown["subscription_status"]["number_of_remaining_notifications"])


def check_refused(result: testing.Result, status: int, code: str, *words: str) -> None:
    body = result.json
    assert (result.status_code, set(body), body["code"]) == (status, {"code", "description"}, code)
    for word in words:
        assert word in body["description"]


def test_a_subscription_has_the_whole_shape(api: testing.TestClient) -> None:
    made = subscribe(api, STATE_CHANGE, "FAULT", client_id="Überwacher.1")

    date = made["subscription"].pop("subscription_date")
    assert parse(date) is not None
    url = f"https://tidings.example{BASE}/{made['id']}/notifications"
    assert made == {
        "id": made["id"],
        "subscription": {
            "client_id": "Überwacher.1",
            "event_type_ids": [STATE_CHANGE, "FAULT"],
            "subscribed_by": "Überwacher.1",
            "notification_url": url,
            "notification_page_size": 10,
        },
        "subscription_status": {
            "last_request_date": None,
            "number_of_remaining_notifications": 0,
        },
    }
    shown = api.simulate_get(f"{BASE}/{made['id']}").json
    assert shown["subscription"].pop("subscription_date") == date
    assert shown == made


def test_what_happens_is_handed_out_once_in_order(
    api: testing.TestClient, tell: Callable[..., None]
) -> None:
    subscription = subscribe(api)
    tell(*range(13))
    assert left(api, subscription) == 13

    first = read(api, subscription)
    assert (first["page"], first["size"], heard(first)) == (0, 10, list(range(10)))
    assert left(api, subscription) == 3
    second = read(api, subscription, "page=7&size=2")
    assert (second["page"], second["size"], heard(second)) == (7, 2, [10, 11])
    assert heard(read(api, subscription)) == [12]
    assert read(api, subscription)["results"] == []
    assert left(api, subscription) == 0


def test_the_last_request_is_shown(api: testing.TestClient) -> None:
    subscription = subscribe(api)
    read(api, subscription)
    shown = api.simulate_get(f"{BASE}/{subscription['id']}").json["subscription_status"]
    assert parse(shown["last_request_date"]) is not None


def test_a_subscription_hears_only_its_types_and_what_comes_after_it(
    api: testing.TestClient, tell: Callable[..., None]
) -> None:
    api.simulate_post(LISTENER, json={})
    early = subscribe(api, CREATION)
    tell(1)
    tell(2, event_type=CREATION)
    late = subscribe(api, CREATION, STATE_CHANGE)
    tell(3, 4)

    assert heard(read(api, early)) == [2]
    assert heard(read(api, late)) == [3, 4]


def test_what_happened_before_is_not_heard_though_it_is_told_later(
    api: testing.TestClient, tell: Callable[..., None]
) -> None:
    subscribe(api, STATE_CHANGE)
    before = {"eventId": "b", "eventDate": "2026-11-21T08:00:00Z", "eventType": STATE_CHANGE}
    api.simulate_post(LISTENER, json=before | {"event": {"number": 1}})
    subscription = subscribe(api)
    tell(2)
    assert heard(read(api, subscription)) == [2]


def test_subscriptions_of_one_client_are_apart(
    api: testing.TestClient, tell: Callable[..., None]
) -> None:
    first, second = subscribe(api), subscribe(api)
    tell(1, 2)
    assert heard(read(api, first)) == heard(read(api, second)) == [1, 2]


def test_a_deleted_subscription_is_gone_with_its_queue(
    api: testing.TestClient, tell: Callable[..., None], redis: Redis
) -> None:
    subscription = subscribe(api)
    tell(1)
    result = api.simulate_delete(f"{BASE}/{subscription['id']}")
    assert (result.status_code, result.json["code"]) == (200, "NOT000001")
    assert set(result.json) == {"code", "description"}
    for gone in (
        api.simulate_delete(f"{BASE}/{subscription['id']}"),
        api.simulate_get(f"{BASE}/{subscription['id']}"),
        api.simulate_get(f"{BASE}/{subscription['id']}/notifications"),
    ):
        check_refused(gone, 404, "NOT000060")
    tell(2)
    assert redis.keys("*") == []


def test_messages_and_collected_events_are_polled_too(
    api: testing.TestClient, tell: Callable[..., None]
) -> None:
    created = "CommunicationMessageCreationNotification"
    subscription = subscribe(api, created, "WARNING")
    api.simulate_post(
        "/communicationMessage",
        json={"type": "SMS", "content": "Hi", "receiver": [{"phoneNumber": "+46701234567"}]},
    )
    event = {
        "entity_id": "1",
        "event_type": "WARNING",
        "event_source": "SYSTEM",
        "event_payload": {"operation": "READ"},
    }
    stored = api.simulate_post("/api/v1/events", json=event, headers={"X-TWC-Tenant": "default"})
    tell()

    message, warning = read(api, subscription)["results"]
    assert message["eventType"] == created
    assert message["event"]["CommunicationMessage"][0]["content"] == "Hi"
    assert (warning["eventType"], warning["eventId"]) == ("WARNING", stored.json["id"])
    assert warning | stored.json == warning


@pytest.mark.parametrize(
    ("body", "code", "word"),
    [
        ({"client_id": "c"}, "NOT000023", "event_type_ids"),
        ({"event_type_ids": ["FAULT"]}, "NOT000023", "client_id"),
        ({"event_type_ids": [], "client_id": "c"}, "NOT000024", "event_type_ids"),
        ({"event_type_ids": "FAULT", "client_id": "c"}, "NOT000024", "event_type_ids"),
        ({"event_type_ids": ["FAULT", ""], "client_id": "c"}, "NOT000024", "event_type_ids[1]"),
        ({"event_type_ids": [5], "client_id": "c"}, "NOT000024", "event_type_ids[0]"),
        ({"event_type_ids": ["Rain"], "client_id": "c"}, "NOT000024", "'Rain'"),
        ({"event_type_ids": ["FAULT", "FAULT"], "client_id": "c"}, "NOT000024", "twice"),
        ({"event_type_ids": ["FAULT"], "client_id": "a b"}, "NOT000024", "client_id"),
        ({"event_type_ids": ["FAULT"], "client_id": ""}, "NOT000024", "client_id"),
        ({"event_type_ids": ["FAULT"], "client_id": 5}, "NOT000024", "client_id"),
        ([], "NOT000022", "object"),
    ],
    ids=str,
)
def test_a_fault_is_named(sqlite_api: testing.TestClient, body: Any, code: str, word: str) -> None:
    check_refused(sqlite_api.simulate_post(BASE, json=body), 400, code, word)


@pytest.mark.parametrize("query", ["page=-1", "page=x", "size=0", "size=x", "size=9999999999"])
def test_a_bad_page_is_refused_and_nothing_handed_out(
    sqlite_api: testing.TestClient, query: str
) -> None:
    subscription = subscribe(sqlite_api)
    path = f"{BASE}/{subscription['id']}/notifications"
    check_refused(sqlite_api.simulate_get(path, query_string=query), 400, "NOT000028")
    assert read(sqlite_api, subscription, "size=5000")["size"] == 1000


def test_ids_of_any_script_are_understood(sqlite_api: testing.TestClient) -> None:
    check_refused(sqlite_api.simulate_get(f"{BASE}/Ärger.日本-1_x"), 404, "NOT000060")
    for wrong in ("a b", "a%00", "x" * 129, "a$"):
        check_refused(sqlite_api.simulate_get(f"{BASE}/{wrong}"), 400, "NOT000020")
        check_refused(sqlite_api.simulate_delete(f"{BASE}/{wrong}"), 400, "NOT000020")
        path = f"{BASE}/{wrong}/notifications"
        check_refused(sqlite_api.simulate_get(path), 400, "NOT000020")


def test_other_methods_and_paths(sqlite_api: testing.TestClient) -> None:
    check_refused(sqlite_api.simulate_put(BASE), 405, "NOT000061")
    check_refused(sqlite_api.simulate_get("/notification/v1/else"), 404, "NOT000060")
    subscription = subscribe(sqlite_api)
    # A HEAD must not take what nobody would see.
    head = sqlite_api.simulate_head(f"{BASE}/{subscription['id']}/notifications")
    assert head.status_code == 405


def test_without_redis_reading_is_503_and_all_else_goes_on(store: Store) -> None:
    away = open_redis(Settings(redis_url=f"redis://127.0.0.1:{free_port()}/0"))
    api = testing.TestClient(create_app(store, SETTINGS, redis=away))
    subscription = subscribe(api)
    path = f"{BASE}/{subscription['id']}"
    check_refused(api.simulate_get(f"{path}/notifications"), 503, "NOT000005", "try again")
    check_refused(api.simulate_get(path), 503, "NOT000005", "try again")
    assert api.simulate_delete(path).status_code == 200
    away.close()
