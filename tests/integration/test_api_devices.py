"""The device registry over HTTP."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

import pytest
from falcon import testing

from api.edge import Caller
from communication.devices.device_model import DEVICE
from communication.devices.registry import MOST_DEVICES
from communication.store import Store
from tests.api import check_error, client
from tests.devices import APNS_TOKEN, subscription
from tests.messages import rows

PATH = "/appUser/ann/device/phone-1"
FCM = {"platform": "fcm", "token": "bk3RNwTe3H0:CI2k_HHwgIpoDKCIZvvDMExUdFQ3P1"}

REGISTERED: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (FCM, FCM),
    (
        {"platform": "apns", "token": APNS_TOKEN.upper(), "locale": "sv"},
        {"platform": "apns", "token": APNS_TOKEN, "locale": "sv"},
    ),
    ({"platform": "ntfy", "token": "ann_phone-7"}, {"platform": "ntfy"}),
    ({"Platform": "fcm", "Token": "x", "appVersion": 7}, {"platform": "fcm", "token": "x"}),
]
"""What is sent, and what of it is shown."""


@pytest.fixture
def api(store: Store) -> testing.TestClient:
    return client(store)


@pytest.fixture
def as_tenant(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """From now on requests are this tenant's."""

    def become(tenant: str) -> None:
        monkeypatch.setattr("api.devices.caller_of", lambda _req: Caller(tenant=tenant))

    return become


def listed(api: testing.TestClient, user: str) -> list[str]:
    return [device["id"] for device in api.simulate_get(f"/appUser/{user}/device").json]


def test_a_device_is_registered_and_shown(api: testing.TestClient) -> None:
    for place, (body, shown) in enumerate(REGISTERED):
        path = f"/appUser/ann/device/phone-{place}"
        result = api.simulate_put(path, json=body)

        assert (result.status_code, result.headers["location"]) == (201, path)
        device = result.json
        assert device.items() >= shown.items()
        assert device["href"] == f"http://127.0.0.1:8080{path}"
        assert (device["id"], device["appUserId"]) == (f"phone-{place}", "ann")
        assert api.simulate_get(path).json == device
        assert api.simulate_get("/appUser/ann/device").json[0] == device


def test_a_web_push_subscription_is_taken_as_the_browser_gives_it(api: testing.TestClient) -> None:
    given = subscription()

    result = api.simulate_put(PATH, json={"platform": "webpush", "subscription": given})

    assert result.status_code == 201
    assert "token" not in result.json
    assert result.json["subscription"] == {"endpoint": given["endpoint"], "keys": given["keys"]}


def test_to_register_again_replaces_what_was_there(api: testing.TestClient) -> None:
    first = api.simulate_put(PATH, json=FCM).json

    result = api.simulate_put(PATH, json={"platform": "apns", "token": APNS_TOKEN})

    assert (result.status_code, result.json["platform"]) == (200, "apns")
    assert result.json["createdAt"] == first["createdAt"]
    assert result.json["registeredAt"] >= first["registeredAt"]
    assert listed(api, "ann") == ["phone-1"]


def test_a_device_that_is_deleted_is_gone(api: testing.TestClient) -> None:
    api.simulate_put(PATH, json=FCM)

    assert api.simulate_delete(PATH).status_code == 204

    check_error(api.simulate_delete(PATH), 404, 60, "phone-1")
    check_error(api.simulate_get(PATH), 404, 60, "phone-1")
    assert listed(api, "ann") == []


def test_a_phone_that_changes_hands_is_the_new_users_alone(api: testing.TestClient) -> None:
    api.simulate_put(PATH, json=FCM)

    assert api.simulate_put("/appUser/bo/device/phone-1", json=FCM).status_code == 201

    assert (listed(api, "ann"), listed(api, "bo")) == ([], ["phone-1"])


def test_a_token_under_another_id_moves_there(api: testing.TestClient) -> None:
    api.simulate_put(PATH, json=FCM)
    api.simulate_put("/appUser/ann/device/phone-2", json={"platform": "ntfy", "token": "x"})

    assert api.simulate_put("/appUser/ann/device/phone-2", json=FCM).status_code == 200

    assert listed(api, "ann") == ["phone-2"]


def test_tenants_see_nothing_of_each_other(
    store: Store, api: testing.TestClient, as_tenant: Callable[[str], None]
) -> None:
    api.simulate_put(PATH, json=FCM)
    as_tenant("other")

    check_error(api.simulate_get(PATH), 404, 60)
    check_error(api.simulate_delete(PATH), 404, 60)
    assert listed(api, "ann") == []
    assert api.simulate_put(PATH, json=FCM).status_code == 201
    assert [row.tenant for row in rows(store, DEVICE)] == ["default", "other"]


def test_of_too_many_devices_the_longest_unheard_of_makes_way(api: testing.TestClient) -> None:
    for number in range(MOST_DEVICES):
        token = {"platform": "fcm", "token": f"token-{number}"}
        api.simulate_put(f"/appUser/ann/device/{number}", json=token)
    api.simulate_put("/appUser/ann/device/0", json={"platform": "fcm", "token": "token-0"})

    api.simulate_put(PATH, json=FCM)

    assert len(listed(api, "ann")) == MOST_DEVICES
    assert set(listed(api, "ann")) >= {"phone-1", "0"}
    assert "1" not in listed(api, "ann")


def test_the_same_registration_by_many_at_once_is_one_device(api: testing.TestClient) -> None:
    def put(number: int) -> int:
        return api.simulate_put(f"/appUser/user-{number % 2}/device/phone", json=FCM).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(put, range(24)))

    assert set(statuses) <= {200, 201}
    assert len(listed(api, "user-0")) + len(listed(api, "user-1")) == 1


def test_a_fault_is_named_and_nothing_is_registered(api: testing.TestClient) -> None:
    check_error(api.simulate_put(PATH, json={"platform": "fcm"}), 400, 23, "token: ")
    check_error(api.simulate_put(PATH, json={**FCM, "locale": 5}), 400, 24, "locale: ")
    assert listed(api, "ann") == []


def test_what_can_be_no_id_is_400(api: testing.TestClient) -> None:
    for user in ("%20", "x" * 257, "a%00"):
        check_error(api.simulate_put(f"/appUser/{user}/device/1", json=FCM), 400, 20, "appUserId: ")
        check_error(api.simulate_get(f"/appUser/{user}/device"), 400, 20, "appUserId: ")
    for device in ("..", "a%20b", "x" * 129):
        check_error(api.simulate_put(f"/appUser/ann/device/{device}", json=FCM), 400, 20, "id: ")
        check_error(api.simulate_delete(f"/appUser/ann/device/{device}"), 400, 20, "id: ")


def test_a_user_may_have_any_name(api: testing.TestClient) -> None:
    path = "/appUser/%C3%A5sa%40example.org%20%3F/device/1"

    assert api.simulate_put(path, json=FCM).headers["location"] == path

    assert api.simulate_get(path).json["appUserId"] == "åsa@example.org ?"


@pytest.mark.parametrize("user", ["acme/ann", "/", "a//b", "a/device/b", "100%2Fann", "a+b/c%20d"])
def test_slashes_and_percents_may_be_in_a_users_id(store: Store, user: str) -> None:
    api = client(store)
    path = f"/appUser/{quote(user, safe='')}/device/1"
    assert api.simulate_put(path, json=FCM).headers["location"] == path
    assert api.simulate_get(path).json["appUserId"] == user
    assert listed(api, quote(user, safe="")) == ["1"]
    assert api.simulate_delete(path).status_code == 204
    message = {"type": "MobileApp", "subject": "Hi", "content": "Hi"}
    sent = api.simulate_post(
        "/communicationMessage/send", json={**message, "receiver": [{"appUserId": user}]}
    )
    assert sent.status_code == 200


def test_an_endpoint_inside_the_operators_network_is_refused(store: Store) -> None:
    api = client(store, callback_allow="127.0.0.0/8")

    def put(host: str) -> testing.Result:
        given = subscription(f"https://{host}/s")
        return api.simulate_put(PATH, json={"platform": "webpush", "subscription": given})

    assert put("127.0.0.1").status_code == 201
    for host in ("10.0.0.1", "169.254.169.254", "[::1]"):
        check_error(put(host), 400, 24, "subscription.endpoint: ", "refused")
