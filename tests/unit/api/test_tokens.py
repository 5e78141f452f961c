"""Which access tokens are good."""

import base64
import hashlib
import hmac
import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from api.tokens import MOST_REMEMBERED, Tokens, open_tokens
from communication.errors import (
    AccessDenied,
    ExpiredCredentials,
    InvalidCredentials,
    RequestError,
)
from communication.settings import Settings
from tests.issuer import Issuer

ISSUER = Issuer("RS256")


@pytest.fixture
def jwks(tmp_path: Path) -> Path:
    return ISSUER.publish(tmp_path / "jwks.json")


@pytest.fixture
def tokens(jwks: Path) -> Tokens:
    return opened(jwks)


def opened(jwks: Path, **settings: Any) -> Tokens:
    found = open_tokens(Settings(jwks=str(jwks), **settings))
    assert found is not None
    return found


def segment(value: object) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def unsigned(header: dict[str, Any], **claims: Any) -> str:
    return f"{segment(header)}.{segment(ISSUER.claims(**claims))}."


def hmac_with_public_key() -> str:
    """The public key's text, taken for a shared secret."""
    public = ISSUER.key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    text = f"{segment({'alg': 'HS256', 'kid': 'k1', 'typ': 'JWT'})}.{segment(ISSUER.claims())}"
    return f"{text}.{segment(hmac.new(public, text.encode(), hashlib.sha256).digest())}"


def embedded_key() -> str:
    """Signed by a key that the token itself brings."""
    return Issuer("ES256").token(headers={"jwk": Issuer("ES256").jwk, "jku": "https://evil/"})


def signed(header: dict[str, Any]) -> str:
    """With a header that no library writes."""
    whole = {"alg": "RS256", "kid": "k1", "typ": "at+jwt", **header}
    text = f"{segment(whole)}.{segment(ISSUER.claims())}"
    return f"{text}.{segment(ISSUER.key.sign(text.encode(), PKCS1v15(), SHA256()))}"


def tampered() -> str:
    head, _, signature = ISSUER.token().split(".")
    return f"{head}.{segment(ISSUER.claims(tenant='b'))}.{signature}"


def test_a_good_token_says_who_calls(tokens: Tokens) -> None:
    caller = tokens.caller(ISSUER.token(scope="hub:write  events:read"))
    assert (caller.tenant, caller.client) == ("a", "shop")
    assert caller.scopes == {"hub:write", "events:read"}


@pytest.mark.parametrize("algorithm", ["ES256", "ES384", "EdDSA"])
def test_other_kinds_of_keys_are_good_too(algorithm: str, tmp_path: Path) -> None:
    issuer = Issuer(algorithm)
    tokens = opened(issuer.publish(tmp_path / "jwks.json"))
    assert tokens.caller(issuer.token()).client == "shop"


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x",
        "a.b.c",
        "..",
        "." * 5000,
        unsigned({"alg": "none", "typ": "JWT"}),
        unsigned({"alg": "None", "kid": "k1"}),
        unsigned({"alg": "nOnE", "kid": "k1"}),
        unsigned({"alg": None, "kid": "k1"}),
        unsigned({"alg": ["RS256"], "kid": "k1"}),
        unsigned({"alg": "RS256", "kid": "k1"}),
        unsigned({"kid": "k1"}),
        unsigned({"alg": "RS256", "kid": {"a": 1}}),
        unsigned({"alg": "RS256", "kid": "../../../etc/passwd"}),
        unsigned({"alg": "RS256", "kid": "k1' OR '1'='1"}),
        f"{segment(b'[' * 4000)}.{segment({})}.",
        hmac_with_public_key(),
        embedded_key(),
        tampered(),
        ISSUER.token() + "A",
        ISSUER.token() + ".x",
        ISSUER.token(headers={"typ": "id+jwt"}),
        ISSUER.token(headers={"typ": "logout+jwt"}),
        signed({"crit": ["b64"], "b64": True}),
        ISSUER.token(headers={"crit": ["x"], "x": 1}),
        ISSUER.token(headers={"kid": "unknown"}),
        ISSUER.token(iss="https://evil.example"),
        ISSUER.token(iss=None),
        ISSUER.token(iss="tidings/"),
        ISSUER.token(aud="other"),
        ISSUER.token(aud=None),
        ISSUER.token(aud=["other", "tiding"]),
        ISSUER.token(exp=None),
        ISSUER.token(exp="tomorrow"),
        ISSUER.token(exp=True),
        ISSUER.token(exp=float("inf")),
        ISSUER.token(exp=float("nan")),
        ISSUER.token(exp=10**400),
        ISSUER.token(exp=-1),
        ISSUER.token(nbf=int(time.time()) + 3600),
        ISSUER.token(client_id=None),
        ISSUER.token(client_id=7),
        ISSUER.token(client_id=""),
        ISSUER.token(client_id="shop\0"),
        ISSUER.token(client_id="\ud800"),
        ISSUER.token(client_id="shop\nadmin"),
        Issuer("RS256").token(),
        Issuer("ES256").token(),
    ],
)
def test_a_token_that_is_not_ours_is_invalid(tokens: Tokens, token: str) -> None:
    with pytest.raises(InvalidCredentials):
        tokens.caller(token)


@pytest.mark.parametrize(
    "tenant", [None, "", "..", "a/b", "a\n", "a" * 65, 7, ["a"], " a", "ä", {"a": 1}]
)
def test_a_token_without_a_usable_tenant_is_denied(tokens: Tokens, tenant: object) -> None:
    with pytest.raises(AccessDenied):
        tokens.caller(ISSUER.token(tenant=tenant))


def test_an_issuers_clock_may_be_half_a_minute_ahead(tokens: Tokens) -> None:
    assert tokens.caller(signed({})).client == "shop"
    assert tokens.caller(ISSUER.token(nbf=int(time.time()) + 25)).client == "shop"
    with pytest.raises(InvalidCredentials, match="not valid yet"):
        tokens.caller(ISSUER.token(nbf=int(time.time()) + 300))


def test_an_expired_token_is_told_apart(tokens: Tokens) -> None:
    with pytest.raises(ExpiredCredentials):
        tokens.caller(ISSUER.token(exp=int(time.time()) - 1))


def test_a_token_that_is_remembered_expires_all_the_same(
    tokens: Tokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    expiry = datetime(2030, 1, 1, tzinfo=UTC)
    token = ISSUER.token(exp=expiry.timestamp())
    monkeypatch.setattr("api.tokens.now", lambda: expiry - timedelta(seconds=1))
    tokens.caller(token)
    monkeypatch.setattr("api.tokens.now", lambda: expiry)
    with pytest.raises(ExpiredCredentials):
        tokens.caller(token)


def test_the_claim_of_the_tenant_is_a_setting(jwks: Path) -> None:
    tokens = opened(jwks, tenant_claim="org")
    assert tokens.caller(ISSUER.token(org="b")).tenant == "b"


def test_the_memory_of_tokens_is_bounded(tokens: Tokens) -> None:
    caller = tokens.caller(ISSUER.token())
    for number in range(MOST_REMEMBERED + 50):
        tokens._remember(number.to_bytes(8), (caller, 0.0))  # noqa: SLF001
    assert len(tokens._verified) == MOST_REMEMBERED  # noqa: SLF001


def test_every_failure_is_an_error_of_a_contract(tokens: Tokens) -> None:
    for text in ("\x00", "é.é.é", "a" * 100_000, "-.-.-"):
        with pytest.raises(RequestError):
            tokens.caller(text)
