"""Who gets in, on every route."""

from pathlib import Path

import pytest
from falcon import testing

from api.gate import GatedApp
from communication.errors import SettingsError
from communication.settings import load_settings
from communication.store import Store
from tests.api import MESSAGES, client
from tests.issuer import Issuer

ISSUER = Issuer()
SMS = {"type": "SMS", "content": "Hello", "receiver": [{"phoneNumber": "+46701234567"}]}


@pytest.fixture
def store(sqlite_store: Store) -> Store:
    """Who gets in has nothing to do with the database."""
    return sqlite_store


@pytest.fixture
def api(store: Store, tmp_path: Path) -> testing.TestClient:
    return client(store, jwks=str(ISSUER.publish(tmp_path / "jwks.json")))


def test_without_a_token_the_answer_says_what_to_send(api: testing.TestClient) -> None:
    answer = api.simulate_get(MESSAGES)
    assert (answer.status_code, answer.json["code"]) == (401, 40)
    assert answer.headers["www-authenticate"] == 'Bearer realm="tidings"'


@pytest.mark.parametrize(
    "value", ["Basic dTpw", "Bearer", "Bearer ", "Bearer a b", "bearer x", "Bearer é", "Token x"]
)
def test_other_credentials_are_invalid(api: testing.TestClient, value: str) -> None:
    answer = api.simulate_get(MESSAGES, headers={"Authorization": value})
    assert (answer.status_code, answer.json["code"]) == (401, 41)
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


def test_an_expired_token_is_told_apart(api: testing.TestClient) -> None:
    answer = api.simulate_get(MESSAGES, headers=ISSUER.bearer(exp=1))
    assert (answer.status_code, answer.json["code"]) == (401, 42)


def test_a_token_for_something_else_is_forbidden(api: testing.TestClient) -> None:
    answer = api.simulate_post(MESSAGES, json=SMS, headers=ISSUER.bearer(scope="events:read"))
    assert (answer.status_code, answer.json["code"]) == (403, 51)
    assert answer.headers["www-authenticate"] == (
        'Bearer realm="tidings", error="insufficient_scope", scope="communication:write"'
    )


def test_a_token_with_the_scope_gets_in(api: testing.TestClient) -> None:
    headers = ISSUER.bearer(scope="communication:write")
    answer = api.simulate_post(MESSAGES, json=SMS, headers=headers)
    assert answer.status_code == 201
    answer = api.simulate_get(
        f"{MESSAGES}/{answer.json['id']}", headers=ISSUER.bearer(scope="communication:read")
    )
    assert answer.status_code == 200


def test_head_needs_what_get_needs(api: testing.TestClient) -> None:
    assert api.simulate_head(MESSAGES).status_code == 401
    assert api.simulate_head(MESSAGES, headers=ISSUER.bearer()).status_code == 200
    for path in (MESSAGES, f"{MESSAGES}/m1", "/hub", "/hub/h1"):
        answer = api.simulate_head(path, headers=ISSUER.bearer(scope="events:read"))
        assert answer.status_code == 403
        assert 'error="insufficient_scope", scope=' in answer.headers["www-authenticate"]


def test_the_header_cannot_name_another_tenant(api: testing.TestClient) -> None:
    mine = ISSUER.bearer() | {"X-TWC-Tenant": "a"}
    assert api.simulate_get(MESSAGES, headers=mine).status_code == 200
    answer = api.simulate_get(MESSAGES, headers=mine | {"X-TWC-Tenant": "b"})
    assert (answer.status_code, answer.json["code"]) == (403, 50)
    assert answer.headers["www-authenticate"] == (
        'Bearer realm="tidings", error="insufficient_scope", '
        'error_description="X-TWC-Tenant is not the tenant of the access token"'
    )


def test_health_is_open_to_all(api: testing.TestClient) -> None:
    assert api.simulate_get("/health").status_code == 200


def test_a_resource_must_say_which_scopes_it_needs() -> None:
    class Silent:
        def on_get(self) -> None: ...

    class Half(Silent):
        scopes = {"POST": "admin"}  # noqa: RUF012

    class Odd(Silent):
        scopes = {"GET": "everything"}  # noqa: RUF012

    for resource, fault in ((Silent(), "does not"), (Half(), "GET"), (Odd(), "everything")):
        with pytest.raises(TypeError, match=fault):
            GatedApp().add_route("/x", resource)


def test_strangers_are_served_only_with_authentication(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="set TIDINGS_JWKS"):
        load_settings(bind="0.0.0.0:8080")
    keys = ISSUER.publish(tmp_path / "jwks.json")
    settings = load_settings(bind="0.0.0.0:8080", jwks=str(keys))
    assert settings.callback_allow == ""


def test_without_authentication_callbacks_may_lead_to_this_machine() -> None:
    assert load_settings().callback_allow == "127.0.0.0/8,::1/128"
    assert load_settings(callback_allow="").callback_allow == ""


def test_keys_from_just_anywhere_are_refused() -> None:
    with pytest.raises(SettingsError, match="https"):
        load_settings(jwks="http://issuer.example/jwks.json")


def test_an_attachment_on_this_machine_is_refused_at_once(api: testing.TestClient) -> None:
    mail = {"type": "Email", "subject": "Hello", "content": "Hello"}
    receiver = [{"email": "ann@example.com"}]
    attachment = [{"URL": "https://2130706433/metadata"}]
    body = {**mail, "receiver": receiver, "attachment": attachment}
    answer = api.simulate_post(MESSAGES, json=body, headers=ISSUER.bearer())
    assert (answer.status_code, answer.json["code"]) == (400, 24)
    assert "attachment[0].URL" in answer.text
    assert "loopback" in answer.text
