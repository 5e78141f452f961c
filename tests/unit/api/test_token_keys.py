"""Which keys access tokens are verified with."""

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from api.jwks import KeySet, open_keys
from api.tokens import Tokens, open_tokens
from communication.errors import InvalidCredentials, ServiceUnavailable, SettingsError
from communication.settings import Settings
from communication.settings_security import SIGNATURES
from tests.issuer import Issuer

ISSUER = Issuer("RS256")


def opened(jwks: Path, **settings: Any) -> Tokens:
    found = open_tokens(Settings(jwks=str(jwks), **settings))
    assert found is not None
    return found


def test_a_short_rsa_key_is_left_out(tmp_path: Path) -> None:
    weak = Issuer("RS256")
    public = rsa.generate_private_key(65537, 1024).public_key()
    weak.jwk = {**RSAAlgorithm.to_jwk(public, as_dict=True), "kid": "weak"}
    with pytest.raises(SettingsError, match="no public key"):
        opened(weak.publish(tmp_path / "jwks.json"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"keys": 7}',
        '{"keys": []}',
        '{"keys": [7]}',
        '{"keys": [{"kty": "oct", "k": "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"}]}',
        '{"keys": [{"kty": "RSA", "n": "!", "e": "AQAB"}]}',
        '{"keys": [{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}]}',
        '{"keys": [{"kty": ["RSA"], "crv": {}, "alg": []}]}',
    ],
)
def test_a_file_without_public_keys_stops_the_start(tmp_path: Path, text: str) -> None:
    (tmp_path / "jwks.json").write_text(text)
    with pytest.raises(SettingsError, match="TIDINGS_JWKS"):
        opened(tmp_path / "jwks.json")


@pytest.mark.parametrize(
    "change", [{"use": "enc"}, {"key_ops": ["encrypt"]}, {"alg": "PS256"}, {"alg": "RSA-OAEP"}]
)
def test_a_key_verifies_only_what_it_is_for(tmp_path: Path, change: dict[str, Any]) -> None:
    issuer = Issuer("RS256")
    issuer.jwk |= change
    other = Issuer("ES256", kid="other")
    tokens = opened(issuer.publish(tmp_path / "jwks.json", other))
    with pytest.raises(InvalidCredentials):
        tokens.caller(issuer.token())


def test_an_algorithm_that_is_not_allowed_is_refused(tmp_path: Path) -> None:
    other = Issuer("ES256", kid="other")
    tokens = opened(other.publish(tmp_path / "two.json", ISSUER), jwt_algorithms="ES256")
    tokens.caller(other.token())
    with pytest.raises(InvalidCredentials):
        tokens.caller(ISSUER.token())


def test_no_algorithm_of_shared_secrets_can_be_allowed() -> None:
    assert not any(one.startswith("HS") or one == "none" for one in SIGNATURES)
    with pytest.raises(ValueError, match="must be of"):
        Settings(jwt_algorithms="HS256")


def test_a_withdrawn_key_is_no_longer_trusted_even_for_remembered_tokens(tmp_path: Path) -> None:
    first, second = Issuer("ES256", "one"), Issuer("ES256", "two")
    path = first.publish(tmp_path / "jwks.json")
    keys = open_keys(Settings(jwks=str(path)))
    assert keys is not None
    tokens = Tokens(keys, issuer="tidings", audience="tidings", tenant_claim="tenant")
    token = first.token()
    tokens.caller(token)

    second.publish(path)
    keys._next_look = 0.0  # noqa: SLF001

    assert tokens.caller(second.token()).client == "shop"
    with pytest.raises(InvalidCredentials):
        tokens.caller(token)


class Source:
    """A source of keys that counts how often it is read."""

    def __init__(self, *issuers: Issuer) -> None:
        self.issuers = issuers
        self.reads = 0

    def __call__(self) -> bytes:
        self.reads += 1
        return json.dumps({"keys": [one.jwk for one in self.issuers]}).encode()


def test_unknown_names_have_the_keys_fetched_at_most_once_a_minute(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = [1000.0]
    monkeypatch.setattr("api.jwks.time.monotonic", lambda: clock[0])
    first, second = Issuer("ES256", "one"), Issuer("ES256", "two")
    source = Source(first)
    keys = KeySet(source, every=600, allowed=frozenset(SIGNATURES))
    tokens = Tokens(keys, issuer="tidings", audience="tidings", tenant_claim="tenant")
    tokens.caller(first.token())
    source.issuers = (first, second)

    for _ in range(20):
        with pytest.raises(InvalidCredentials):
            tokens.caller(second.token())
    assert source.reads == 1

    clock[0] += 61
    assert tokens.caller(second.token()).client == "shop"
    assert source.reads == 2


def test_without_any_keys_nobody_is_called_invalid() -> None:
    keys = KeySet(lambda: b"{}", every=600, allowed=frozenset(SIGNATURES))
    tokens = Tokens(keys, issuer="tidings", audience="tidings", tenant_claim="tenant")
    with pytest.raises(ServiceUnavailable):
        tokens.caller(ISSUER.token())
