"""Keys of access tokens from an issuer that is reached over TLS, in all its moods."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path

import orjson
import pytest
from structlog.testing import capture_logs

from api import jwks
from api.tokens import Tokens, open_tokens
from communication.errors import ExpiredCredentials, InvalidCredentials, ServiceUnavailable
from communication.settings import Settings
from communication.store import Store
from tests.api import MESSAGES, client
from tests.authority import Authority
from tests.http_peer import Peer, says
from tests.issuer import Issuer
from tests.waiting import wait_until

FIRST, SECOND = Issuer("ES256", "first"), Issuer("RS256", "second")
PATIENCE = 2.0

Behaviour = Callable[[socket.socket, bytes], None]


def answer(status: str, body: bytes, *headers: str) -> bytes:
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(head).encode() + body


def keys(*issuers: Issuer) -> bytes:
    return answer("200 OK", orjson.dumps({"keys": [one.jwk for one in issuers]}))


class TlsIssuer:
    """An https server with a key set, whose behaviour can be changed at any time."""

    def __init__(self, authority: Authority) -> None:
        self.behaviour: Behaviour = says(keys(FIRST))
        self.peer = Peer(self._behave, authority.context)
        self.port = int(self.peer.url.rpartition(":")[2])

    def _behave(self, connection: socket.socket, request: bytes) -> None:
        self.behaviour(connection, request)

    @property
    def fetches(self) -> int:
        return len(self.peer.requests)

    def settings(self, host: str = "127.0.0.1") -> Settings:
        return Settings(jwks=f"https://{host}:{self.port}/jwks.json")

    def tokens(self, host: str = "127.0.0.1") -> Tokens:
        found = open_tokens(self.settings(host))
        assert found is not None
        return found

    def publishes(self, *issuers: Issuer) -> None:
        self.behaviour = says(keys(*issuers))


class Clock:
    """The monotonic clock, which a test may put forward."""

    def __init__(self) -> None:
        self._real = time.monotonic
        self._ahead = 0.0

    def __call__(self) -> float:
        return self._real() + self._ahead

    def forward(self, seconds: float) -> None:
        self._ahead += seconds


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.make(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def issuer(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Iterator[TlsIssuer]:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.cafile))
    monkeypatch.setattr(jwks, "_PATIENCE", PATIENCE)
    found = TlsIssuer(authority)
    with closing(found.peer):
        yield found


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr("api.jwks.time.monotonic", found)
    return found


def test_the_keys_are_fetched_once_for_all_tokens(issuer: TlsIssuer) -> None:
    tokens = issuer.tokens()
    for number in range(20):
        assert tokens.caller(FIRST.token(jti=str(number))).client == "shop"
    assert issuer.fetches == 1
    assert issuer.peer.requests[0].startswith(b"GET /jwks.json HTTP/1.1\r\n")


def test_a_new_key_is_fetched_when_a_token_names_it_but_once_a_minute(
    issuer: TlsIssuer, clock: Clock
) -> None:
    tokens = issuer.tokens()
    tokens.caller(FIRST.token())
    issuer.publishes(FIRST, SECOND)
    for _ in range(20):
        with pytest.raises(InvalidCredentials):
            tokens.caller(SECOND.token())
    assert issuer.fetches == 1

    clock.forward(jwks.FETCH_AGAIN_AFTER)
    for one in (SECOND, FIRST):
        assert tokens.caller(one.token()).client == "shop"
    assert issuer.fetches == 2


def test_names_that_nobody_has_do_not_have_the_issuer_asked_for_each(
    issuer: TlsIssuer, clock: Clock
) -> None:
    tokens = issuer.tokens()
    tokens.caller(FIRST.token())
    clock.forward(jwks.FETCH_AGAIN_AFTER)
    for number in range(50):
        with pytest.raises(InvalidCredentials):
            tokens.caller(FIRST.token(headers={"kid": f"guess-{number}"}))
    assert issuer.fetches == 2


def test_a_key_that_was_withdrawn_is_not_trusted_after_ten_minutes(
    issuer: TlsIssuer, clock: Clock
) -> None:
    tokens, token = issuer.tokens(), FIRST.token()
    tokens.caller(token)
    issuer.publishes(SECOND)
    tokens.caller(token)
    clock.forward(jwks.FETCH_EVERY)
    with pytest.raises(InvalidCredentials):
        tokens.caller(token)


ANOTHER_KEY = orjson.dumps({"keys": [SECOND.jwk]})
MOODS: dict[str, Behaviour] = {
    "hangs up": says(b"", then_hang_up=True),
    "is silent": says(),
    "drips": says(*(bytes([one]) for one in keys(SECOND)), every=0.05),
    "is cut short": says(keys(SECOND)[:-9], then_hang_up=True),
    "is no HTTP": says(b"SSH-2.0-OpenSSH_9.2\r\n", then_hang_up=True),
    "has an error": says(answer("500 Internal Server Error", ANOTHER_KEY)),
    "is over capacity": says(answer("503 Service Unavailable", ANOTHER_KEY)),
    "has moved": says(answer("302 Found", ANOTHER_KEY, "Location: https://127.0.0.1/")),
    "shows a page": says(answer("200 OK", b"<html>Sign in")),
    "has no keys": says(answer("200 OK", b'{"keys": []}')),
    "has keys of no kind": says(answer("200 OK", b'{"keys": {"a": 1}}')),
    "is nested": says(answer("200 OK", b'{"keys":' + b"[" * 100_000)),
    "is huge": says(answer("200 OK", ANOTHER_KEY + b" " * jwks.LARGEST)),
    "is endless": says(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        *(b"10000\r\n" + b" " * 0x10000 + b"\r\n" for _ in range(8)),
    ),
}


@pytest.mark.parametrize("mood", MOODS)
def test_while_the_issuer_fails_its_last_keys_stay_good(
    issuer: TlsIssuer, clock: Clock, mood: str
) -> None:
    tokens = issuer.tokens()
    tokens.caller(FIRST.token())
    issuer.behaviour = MOODS[mood]
    clock.forward(jwks.FETCH_EVERY)
    with capture_logs() as logs:
        assert tokens.caller(FIRST.token(jti="later")).client == "shop"
        with pytest.raises(InvalidCredentials):
            tokens.caller(SECOND.token())
    assert issuer.fetches == 2
    assert [one["event"] for one in logs] == ["keys of access tokens not read"]
    assert logs[0]["source"] == issuer.settings().jwks

    issuer.publishes(SECOND)
    clock.forward(jwks.FETCH_AGAIN_AFTER)
    assert tokens.caller(SECOND.token()).client == "shop"


def test_an_expired_token_stays_expired_while_the_issuer_is_away(
    issuer: TlsIssuer, clock: Clock
) -> None:
    tokens = issuer.tokens()
    tokens.caller(FIRST.token())
    issuer.behaviour = MOODS["hangs up"]
    clock.forward(jwks.FETCH_EVERY)
    with pytest.raises(ExpiredCredentials):
        tokens.caller(FIRST.token(exp=time.time() - 1))


def test_a_certificate_for_another_name_is_not_believed(issuer: TlsIssuer) -> None:
    check_not_believed(issuer, "localhost")


def test_a_certificate_of_another_authority_is_not_believed(
    issuer: TlsIssuer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(Authority.make(tmp_path).cafile))
    check_not_believed(issuer)


def check_not_believed(issuer: TlsIssuer, host: str = "127.0.0.1") -> None:
    tokens = issuer.tokens(host)
    with capture_logs() as logs, pytest.raises(ServiceUnavailable):
        tokens.caller(FIRST.token())
    assert "its certificate is not trusted" in logs[0]["why"]
    assert not issuer.peer.requests


def test_an_issuer_that_comes_up_after_us_is_asked_again_soon(
    issuer: TlsIssuer, clock: Clock
) -> None:
    tokens = issuer.tokens()
    issuer.behaviour = MOODS["is over capacity"]
    for _ in range(5):
        with pytest.raises(ServiceUnavailable):
            tokens.caller(FIRST.token())
    assert issuer.fetches == 1

    issuer.publishes(FIRST)
    clock.forward(jwks.FETCH_FIRST_AFTER)
    assert tokens.caller(FIRST.token()).client == "shop"


def test_a_slow_issuer_holds_one_request_not_the_others(
    issuer: TlsIssuer, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jwks, "_PATIENCE", 300.0)
    tokens, known = issuer.tokens(), FIRST.token()
    tokens.caller(known)
    over = threading.Event()

    def hang(connection: socket.socket, _request: bytes) -> None:
        over.wait()
        connection.shutdown(socket.SHUT_RDWR)

    issuer.behaviour = hang
    clock.forward(jwks.FETCH_AGAIN_AFTER)

    def call(token: str) -> None:
        with suppress(InvalidCredentials):
            tokens.caller(token)

    with ThreadPoolExecutor(16) as threads:
        unknown = [threads.submit(call, SECOND.token(jti=str(number))) for number in range(8)]
        trusted = [threads.submit(call, known) for _ in range(8)]
        try:
            assert all(one.result(60) is None for one in trusted)
            wait_until(lambda: [one.done() for one in unknown].count(False) == 1)
        finally:
            over.set()
    assert issuer.fetches == 2


def test_the_api_answers_503_until_there_are_keys(
    issuer: TlsIssuer, clock: Clock, sqlite_store: Store
) -> None:
    issuer.behaviour = MOODS["has an error"]
    api = client(sqlite_store, jwks=issuer.settings().jwks)
    refused = api.simulate_get(MESSAGES, headers=FIRST.bearer())
    assert (refused.status_code, refused.json["code"]) == (503, 5)
    assert api.simulate_get(MESSAGES).status_code == 401

    issuer.publishes(FIRST)
    clock.forward(jwks.FETCH_FIRST_AFTER)
    assert api.simulate_get(MESSAGES, headers=FIRST.bearer()).status_code == 200
    unknown = api.simulate_get(MESSAGES, headers=SECOND.bearer())
    assert (unknown.status_code, unknown.json["code"]) == (401, 41)
