"""Requests that can't be served: each with its code of seed 000, and nothing is stored."""

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from falcon import testing
from structlog.testing import capture_logs

from communication.model import MESSAGE, RECEIVER
from communication.store import Store, open_store
from tests.api import MESSAGES, check_error, client
from tests.messages import email, rows

JSON = {"Content-Type": "application/json"}


@pytest.fixture
def api(store: Store) -> Iterator[testing.TestClient]:
    yield client(store, max_body=20_000, max_receivers=50)
    assert rows(store, MESSAGE) == rows(store, RECEIVER) == []


def post(api: testing.TestClient, body: bytes, **headers: str) -> testing.Result:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return api.simulate_post(f"{MESSAGES}/send", body=body, headers=JSON | named)


def test_a_missing_body(api: testing.TestClient) -> None:
    check_error(post(api, b""), 400, 21)
    check_error(api.simulate_post(MESSAGES), 400, 21)


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (b'{"type": "Email",}', "column"),
        (b'{"type": "Email"', "line 1"),
        (b"null", "object"),
        (b'["Email"]', "object"),
        (b'{"subject": "\xff"}', "UTF-8"),
        (b'{"subject": "\\ud800"}', "JSON"),
        (b'{"priority": NaN}', "JSON"),
        (b'\xef\xbb\xbf{"type": "Email"}', "JSON"),
    ],
    ids=str,
)
def test_a_body_that_is_no_json_object(api: testing.TestClient, body: bytes, word: str) -> None:
    check_error(post(api, body), 400, 22, word)


@pytest.mark.parametrize("depth", [65, 300, 2000])
def test_a_body_that_is_nested_too_deeply(api: testing.TestClient, depth: int) -> None:
    nested = b'{"x":' + b"[" * depth + b"]" * depth + b"}"
    check_error(post(api, nested), 400, 22)


def test_a_body_over_the_limit(api: testing.TestClient) -> None:
    check_error(post(api, b" " * 20_001), 413, 22, "20000")
    big = email(content="x" * 30_000)
    check_error(api.simulate_post(MESSAGES, json=big), 413, 22)


@pytest.mark.parametrize("value", [b"1,", b"{},", b"[[]],"])
def test_a_body_of_too_many_values(sqlite_store: Store, value: bytes) -> None:
    many = b'{"x":[' + value * 2_000_001 + b"0]}"
    check_error(post(client(sqlite_store), many), 413, 22, "2000000 values")


def test_a_body_of_another_type(api: testing.TestClient) -> None:
    check_error(post(api, b"{}", Content_Type="text/plain"), 415, 22, "text/plain")
    check_error(post(api, b"{}", Content_Encoding="gzip"), 415, 22, "gzip")
    check_error(post(api, b"{}", Content_Type="application/json; charset=latin1"), 400, 26)
    check_error(api.simulate_post(MESSAGES, body=b"{}"), 400, 25, "Content-Type")


@pytest.mark.parametrize("type_", ["application/json; charset=UTF-8", "application/ld+json"])
def test_the_types_of_json_are_understood(api: testing.TestClient, type_: str) -> None:
    check_error(post(api, b"{}", Content_Type=type_), 400, 23, "type")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"subject": "a\0b"}, "subject"),
        ({"x": [{"deep": "\0"}]}, "x[0].deep"),
        ({"x": {"ke\0y": 1}}, "x.ke\\u0000y"),
        ({"receiver": [{"email": "a@b", "name": "\0"}]}, "receiver[0].name"),
    ],
    ids=str,
)
def test_a_nul_character_is_found_anywhere(
    api: testing.TestClient, change: dict[str, Any], field: str
) -> None:
    check_error(api.simulate_post(MESSAGES, json=email() | change), 400, 24, f"{field}: ")


def test_an_escaped_backslash_before_u0000_is_no_nul(store: Store) -> None:
    result = client(store).simulate_post(MESSAGES, json=email(content="\\u0000"))
    assert (result.status_code, result.json["content"]) == (201, "\\u0000")


def test_missing_and_invalid_fields_have_codes_of_their_own(api: testing.TestClient) -> None:
    check_error(api.simulate_post(MESSAGES, json={}), 400, 23, "type: ")
    check_error(api.simulate_post(MESSAGES, json=email(priority=10)), 400, 24, "priority: ")
    check_error(api.simulate_post(MESSAGES, json=email(51)), 400, 24, "receiver: ", "50")


def test_a_long_name_of_a_field_is_cut_in_the_answer(api: testing.TestClient) -> None:
    result = api.simulate_post(MESSAGES, json=email() | {"x" * 5000: "\0"})
    check_error(result, 400, 24)
    assert len(result.text) < 1000


@pytest.mark.parametrize("path", ["/", "/nothing", "/communicationMessage/a/b", "/api/hubs"])
def test_a_path_that_leads_nowhere(api: testing.TestClient, path: str) -> None:
    check_error(api.simulate_get(path), 404, 60)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", MESSAGES, "GET, HEAD, POST, OPTIONS"),
        ("GET", f"{MESSAGES}/send", "POST, OPTIONS"),
        ("POST", f"{MESSAGES}/m1", "DELETE, GET, HEAD, PATCH, PUT, OPTIONS"),
        ("PUT", "/hub/1", "DELETE, GET, HEAD, OPTIONS"),
    ],
)
def test_a_method_that_a_resource_lacks(
    api: testing.TestClient, method: str, path: str, allowed: str
) -> None:
    result = api.simulate_request(method, path)
    check_error(result, 405, 61)
    assert result.headers["allow"] == allowed


def test_an_unexpected_error_is_500_without_a_trace(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: object, **_options: object) -> None:
        raise ZeroDivisionError("a secret")

    monkeypatch.setattr("communication.messages.acceptance.accept", fail)
    result = client(store).simulate_post(MESSAGES, json=email())
    check_error(result, 500, 1, result.headers["x-request-id"])
    assert "secret" not in result.text


def test_an_unexpected_error_is_logged_without_the_app_user_of_the_path(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.devices.list_devices", lambda *_: 1 / 0)
    with capture_logs() as logs:
        result = client(store).simulate_get("/appUser/user-4711/device")
    check_error(result, 500, 1, result.headers["x-request-id"])
    [line] = [one for one in logs if one["event"] == "unexpected error"]
    assert line["route"].startswith("/appUser/{")
    assert "4711" not in repr(logs)


def test_a_database_that_is_away_is_503() -> None:
    nowhere = open_store("postgresql+psycopg://nobody:secret@127.0.0.1:1/none")
    began = time.monotonic()
    result = client(nowhere).simulate_post(MESSAGES, json=email())
    check_error(result, 503, 5)
    assert not {"secret", "nobody", "127.0.0.1"} & set(re.findall(r"[\w.]+", result.text))
    assert time.monotonic() - began < 60
