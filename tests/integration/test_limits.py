"""How much may be asked of the API."""

from pathlib import Path
from typing import Any

import pytest
from falcon import testing
from prometheus_client import REGISTRY

from communication.errors import SettingsError
from communication.settings import Settings, load_settings
from communication.store import Store
from tests.api import MESSAGES, client
from tests.issuer import Issuer
from tests.processes import free_port
from tests.services import Redis

ISSUER = Issuer()
SMS = {"type": "SMS", "content": "Hello", "receiver": [{"phoneNumber": "+46701234567"}]}


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Redis that has to wait for a core is there all the same."""
    monkeypatch.setattr("api.rates._PATIENCE", 60.0)


def limited(store: Store, folder: Path, **settings: Any) -> testing.TestClient:
    return client(store, jwks=str(ISSUER.publish(folder / "jwks.json")), **settings)


def counted(metric: str) -> float:
    return REGISTRY.get_sample_value(f"{metric}_total") or 0.0


def test_a_client_that_calls_too_often_is_told_when_to_come_again(
    sqlite_store: Store, tmp_path: Path, redis_url: str
) -> None:
    api = limited(sqlite_store, tmp_path, redis_url=redis_url, rate_per_client="3/hour")
    mine, other = ISSUER.bearer(), ISSUER.bearer(client_id="other")
    assert [api.simulate_get(MESSAGES, headers=mine).status_code for _ in range(3)] == [200] * 3

    answer = api.simulate_get(MESSAGES, headers=mine)

    assert (answer.status_code, answer.json["code"]) == (429, 53)
    assert 0 < int(answer.headers["retry-after"]) <= 7200
    assert answer.headers["ratelimit-limit"] == "3"
    assert answer.headers["ratelimit-remaining"] == "0"
    assert answer.headers["ratelimit-reset"] == answer.headers["retry-after"]
    assert answer.headers["ratelimit-policy"] == '"client";q=3;w=3600'
    assert api.simulate_get(MESSAGES, headers=other).status_code == 200


def test_a_tenant_has_a_limit_for_all_its_clients(sqlite_store: Store, tmp_path: Path) -> None:
    api = limited(sqlite_store, tmp_path, rate_per_tenant="2/hour")
    for name in ("one", "two"):
        api.simulate_get(MESSAGES, headers=ISSUER.bearer(client_id=name))
    refused = api.simulate_get(MESSAGES, headers=ISSUER.bearer(client_id="three"))
    assert refused.headers["ratelimit-policy"].startswith('"tenant"')
    other = api.simulate_get(MESSAGES, headers=ISSUER.bearer(client_id="three", tenant="b"))
    assert other.status_code == 200


def test_on_the_listener_the_status_is_its_seeds(sqlite_store: Store, tmp_path: Path) -> None:
    api = limited(sqlite_store, tmp_path, rate_per_client="1/hour")
    path = "/externalapi/listener/v1/listener"
    api.simulate_post(path, headers=ISSUER.bearer(), json={})
    answer = api.simulate_post(path, headers=ISSUER.bearer(), json={})
    assert (answer.status_code, answer.json["code"]) == (403, 53)
    assert "retry-after" in answer.headers


def test_without_authentication_all_callers_are_one_client(sqlite_store: Store) -> None:
    api = client(sqlite_store, rate_per_client="2/hour")
    answers = [api.simulate_get(path) for path in (MESSAGES, "/hub", MESSAGES)]
    assert [one.status_code for one in answers] == [200, 200, 429]
    assert answers[2].headers["ratelimit-policy"] == '"client";q=2;w=3600'
    assert api.simulate_get("/health").status_code == 200
    assert Settings().rate_per_client == Settings().rate_per_tenant == ""


def test_without_redis_all_are_let_through_and_counted(sqlite_store: Store, tmp_path: Path) -> None:
    nowhere = f"redis://127.0.0.1:{free_port()}/0"
    api = limited(sqlite_store, tmp_path, redis_url=nowhere, rate_per_client="1/hour")
    before = counted("tidings_requests_uncounted")
    for _ in range(3):
        assert api.simulate_get(MESSAGES, headers=ISSUER.bearer()).status_code == 200
    assert counted("tidings_requests_uncounted") == before + 3


def test_processes_count_together(sqlite_store: Store, tmp_path: Path, redis_server: Redis) -> None:
    redis_server.wipe()
    one, two = (
        limited(sqlite_store, tmp_path, redis_url=redis_server.url, rate_per_client="2/hour")
        for _ in range(2)
    )
    one.simulate_get(MESSAGES, headers=ISSUER.bearer())
    two.simulate_get(MESSAGES, headers=ISSUER.bearer())
    assert one.simulate_get(MESSAGES, headers=ISSUER.bearer()).status_code == 429


def test_a_rate_that_is_not_understood_stops_the_start() -> None:
    with pytest.raises(SettingsError, match="TIDINGS_RATE_PER_CLIENT"):
        load_settings(rate_per_client="often")


def test_nothing_more_is_sent_while_too_much_waits(store: Store) -> None:
    api = client(store, max_backlog=2)
    for _ in range(2):
        assert api.simulate_post(f"{MESSAGES}/send", json=SMS).status_code == 200
    stored = api.simulate_post(MESSAGES, json=SMS).json["id"]

    full = client(store, max_backlog=2)
    for path in (f"{MESSAGES}/send", f"{MESSAGES}/{stored}/send"):
        answer = full.simulate_post(path, json=SMS if path.endswith("e/send") else None)
        assert (answer.status_code, answer.json["code"]) == (503, 6)
        assert answer.headers["retry-after"]
    assert full.simulate_post(MESSAGES, json=SMS).status_code == 201
    roomy = client(store, max_backlog=3)
    assert roomy.simulate_post(f"{MESSAGES}/{stored}/send").status_code == 200


@pytest.mark.filterwarnings("ignore:Unknown REQUEST_METHOD")
@pytest.mark.parametrize("method", ["BREW", "get", "Foo", "PROPFIND", "TRACE", "PATCH"])
def test_an_unknown_method_is_not_allowed(sqlite_store: Store, method: str) -> None:
    answer = client(sqlite_store).simulate_request(method, MESSAGES)
    assert (answer.status_code, answer.json["code"]) == (405, 61)
    assert "GET" in answer.headers["allow"]


def test_values_for_templates_have_a_largest_size(sqlite_store: Store) -> None:
    api = client(sqlite_store, max_value=10)
    for value, status in (("x" * 10, 201), ("x" * 11, 400), ({"a": "x" * 9}, 400), (None, 201)):
        named = [{"name": "Name", "value": value}]
        for body in (
            {**SMS, "CommunicationRequestCharacteristic": named},
            {**SMS, "receiver": [{"phoneNumber": "+46701234567", "characteristic": named}]},
        ):
            answer = api.simulate_post(MESSAGES, json=body)
            assert answer.status_code == status, answer.text
            assert status == 201 or "value: must have at most 10" in answer.json["message"]
