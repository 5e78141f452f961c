"""The HTTP client against peers that are slow, rude or dead."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from communication.http.client import Answer, ConnectionFailed, Guard, HttpClient, Refused, TimedOut
from tests.http_peer import OK, Peer, peer, says
from tests.waiting import wait_until

LOOPBACK = Guard.of("127.0.0.0/8")


@contextmanager
def client(guard: Guard | None = LOOPBACK, **options: float) -> Iterator[HttpClient]:
    with closing(HttpClient(guard, **options)) as found:  # type: ignore[arg-type]
        yield found


def _idle_ones_are_closed(http: HttpClient) -> bool:
    return not any(one.usable() for idle in http._pool._idle.values() for one in idle)  # noqa: SLF001


def test_connections_are_kept_and_used_again() -> None:
    with peer(says(OK)) as server, client() as http:
        for _ in range(3):
            answer = http.request("POST", f"{server.url}/a?b", headers={"X": "y"}, content=b"{}")
            assert answer == Answer(200, {"content-length": "2", "x-a": "1, 2"}, b"{}")
        assert server.connections == 1
        assert server.requests[0].startswith(b"POST /a?b HTTP/1.1\r\n")
        assert b"\r\nContent-Length: 2\r\n" in server.requests[0]


def test_threads_share_a_client() -> None:
    with peer(says(OK)) as server, client() as http, ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: http.request("GET", server.url), range(200)))
        assert {answer.status for answer in answers} == {200}
        assert server.connections <= 16


def test_a_connection_that_was_closed_meanwhile_is_not_used_again() -> None:
    with peer(says(OK, then_hang_up=True)) as server, client() as http:
        for count in range(1, 4):
            assert http.request("GET", server.url).status == 200
            wait_until(partial(_idle_ones_are_closed, http))
            assert server.connections == count


def test_redirects_are_not_followed() -> None:
    answer = b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n"
    with peer(says(answer)) as server, client() as http:
        assert http.request("GET", server.url).status == 302


def test_the_environment_names_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9/")
    with peer(says(OK)) as server, client() as http:
        assert http.request("GET", server.url).status == 200


@pytest.mark.parametrize(
    "head",
    [b"Content-Length: 5000", b"Transfer-Encoding: chunked", b"Connection: close"],
    ids=["length", "chunked", "close"],
)
def test_an_answer_is_read_only_so_far(head: bytes) -> None:
    body = b"1388\r\n" + b"x" * 5000 if b"chunked" in head else b"x" * 5000
    with peer(says(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\n" + body)) as server:
        with client(max_body=1000) as http:
            answer = http.request("GET", server.url)
            assert (answer.status, answer.body, answer.whole) == (200, b"x" * 1000, False)
            http.request("GET", server.url)
        assert server.connections == 2


def test_a_compressed_answer_is_left_as_it_is() -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\0\0"
    with peer(says(answer)) as server, client() as http:
        assert http.request("GET", server.url).body == b"\x1f\x8b\0\0"


@pytest.mark.parametrize(
    "parts",
    [
        [],
        [b"H", b"T", b"T", b"P", b"/", b"1", b".", b"1"] * 250,
        [b"HTTP/1.1 200 OK\r\n", *[b"a"] * 2000],
        [b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n", *[b"a"] * 2000],
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", *[b"1\r\na\r\n"] * 2000],
        [b"HTTP/1.1 100 Continue\r\n\r\n"] * 2000,
    ],
    ids=["silence", "status", "headers", "body", "chunks", "continues"],
)
def test_a_peer_that_drips_is_left_at_the_deadline(parts: list[bytes]) -> None:
    with peer(says(*parts, every=0.02)) as server, client(timeout=0.3) as http:
        begun = time.monotonic()
        with pytest.raises(TimedOut) as caught:
            http.request("GET", server.url)
        assert time.monotonic() - begun < 15
        assert caught.value.sent


def test_an_answer_may_end_with_its_connection() -> None:
    answer = b"HTTP/1.1 200 OK\r\n\r\n"
    with peer(says(answer, then_hang_up=True)) as server, client() as http:
        assert http.request("GET", server.url) == Answer(200, {}, b"")


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nDa",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X-A: 1\r\n" * 500,
        b"HTTP/1.1 200 OK\r\nX-A: " + b"1" * 100_000,
        b"HTTP/1.1 20000000000000000000 OK\r\n\r\n",
    ],
    ids=[
        "nothing",
        "ssh",
        "cut",
        "half-a-header",
        "short",
        "bad-chunk",
        "many-headers",
        "long-header",
        "status",
    ],
)
def test_a_rude_answer_is_a_failed_connection(answer: bytes) -> None:
    with peer(says(answer, then_hang_up=True)) as server, client() as http:
        with pytest.raises(ConnectionFailed) as caught:
            http.request("GET", server.url)
        assert caught.value.sent


@pytest.mark.parametrize(
    ("head", "more"),
    [
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1;%s\r\nx\r\n" % (b"a" * 500)),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"a: b\r\n"),
    ],
    ids=["interim", "chunks", "trailers"],
)
def test_what_is_around_an_answer_does_not_go_on_for_ever(head: bytes, more: bytes) -> None:
    endless = says(head, *[more * 1000] * 1000)
    refused = pytest.raises(ConnectionFailed, match="too much around its answer")
    with peer(endless) as server, client(timeout=60, max_body=1000) as http, refused:
        http.request("GET", server.url)


def test_nobody_there_is_a_failed_connection_with_nothing_sent() -> None:
    with peer(says(OK)) as server:
        url = server.url
    with client() as http, pytest.raises(ConnectionFailed, match="refused") as caught:
        http.request("GET", url)
    assert not caught.value.sent


def test_a_peer_that_does_not_read_is_left_at_the_deadline() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener, client(timeout=0.3) as http:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        with pytest.raises(TimedOut) as caught:
            http.request("POST", url, content=b"x" * 20_000_000)
    assert caught.value.sent


def test_a_forbidden_address_is_not_connected_to() -> None:
    with peer(says(OK)) as server, client(Guard()) as http:
        for url in (server.url, server.url.replace("127.0.0.1", "localhost")):
            with pytest.raises(Refused, match="loopback"):
                http.request("GET", url)
        assert server.connections == 0


def test_what_was_vetted_is_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that answers otherwise at the second look-up gains nothing: there is none."""
    answers = iter(["127.0.0.1", "127.0.0.9"])
    asked: list[str] = []

    def look_up(host: str, port: int, **_options: object) -> list[tuple[object, ...]]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

    with peer(says(OK)) as server, client(Guard.of("127.0.0.1/32")) as http:
        monkeypatch.setattr(socket, "getaddrinfo", look_up)
        url = server.url.replace("127.0.0.1", "rebound.example")
        assert http.request("GET", url).status == 200
        assert http.request("GET", url).status == 200
        assert asked == ["rebound.example"]
        assert b"\r\nHost: rebound.example:" in server.requests[0]
        http.close()
        with pytest.raises(Refused, match="loopback"):
            http.request("GET", url)


def test_a_slow_name_server_is_left_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()

    def look_up(*_arguments: object, **_options: object) -> list[tuple[object, ...]]:
        release.wait(60)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with client(timeout=0.2) as http, pytest.raises(TimedOut) as caught:
        http.request("GET", "http://slow.example/")
    release.set()
    assert not caught.value.sent


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate, with its key, for `trusted.example`."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "trusted.example")])
    names = x509.SubjectAlternativeName([x509.DNSName("trusted.example")])
    today = datetime.now(UTC)
    built = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    path.write_bytes(
        built.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path


@contextmanager
def tls_peer(certificate: Path) -> Iterator[int]:
    """The port of a peer that answers OK over TLS, as often as it is asked."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with closing(Peer(says(OK), context)) as found:
        yield int(found.url.rpartition(":")[2])


def test_the_name_in_the_url_is_what_the_certificate_must_show(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda _host, port, **options: real("127.0.0.1", port, **options)
    )
    trusting = ssl.create_default_context(cafile=str(certificate))
    with tls_peer(certificate) as port, closing(HttpClient(LOOPBACK, tls=trusting)) as http:
        for _ in range(2):
            assert http.request("GET", f"https://trusted.example:{port}/").body == b"{}"
        with pytest.raises(ConnectionFailed, match="certificate"):
            http.request("GET", f"https://other.example:{port}/")
    with tls_peer(certificate) as port, client() as http:
        with pytest.raises(ConnectionFailed, match="not trusted") as caught:
            http.request("GET", f"https://trusted.example:{port}/")
        assert not caught.value.sent
