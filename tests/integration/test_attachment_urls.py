"""Attachments that lie elsewhere."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from communication.errors import PermanentDeliveryError, TransientDeliveryError
from communication.settings import Settings
from tests.http_peer import Peer, peer, says
from worker.attachments import Attachments
from worker.fetching import open_fetcher

NOW = datetime(2026, 11, 21, 8, tzinfo=UTC)
PDF = b"HTTP/1.1 200 OK\r\nContent-Type: application/pdf; x=y\r\nContent-Length: 5\r\n\r\n%PDF-"


def opened(folder: Path, **settings: Any) -> Attachments:
    whole = Settings(attachments=folder, **settings)
    return Attachments(whole, open_fetcher(whole))


@pytest.fixture
def attachments(tmp_path: Path) -> Iterator[Attachments]:
    found = opened(tmp_path)
    yield found
    found.close()


def mail(*urls: str, **more: str) -> dict[str, Any]:
    return {"attachment": [{"url": url, **more} for url in urls]}


def test_a_file_is_fetched_once_for_all_receivers(attachments: Attachments) -> None:
    with peer(says(PDF, every=0.1)) as server, ThreadPoolExecutor(8) as threads:
        url = f"{server.url}/terms/2026%20en.pdf?token=hush"
        found = list(threads.map(lambda _: attachments.of("a", mail(url), NOW), range(20)))
        assert len(server.requests) == 1
    [one] = found[0]
    assert all(each == [one] for each in found)
    assert (one.name, one.mime_type, one.content) == ("2026 en.pdf", "application/pdf", b"%PDF-")


def test_what_is_kept_of_one_tenant_is_not_given_to_another(attachments: Attachments) -> None:
    with peer(says(PDF)) as server:
        for tenant in ("a", "b"):
            attachments.of(tenant, mail(f"{server.url}/a"), NOW)
        assert len(server.requests) == 2


def test_the_client_names_the_file_and_its_type(attachments: Attachments) -> None:
    with peer(says(PDF)) as server:
        [one] = attachments.of("a", mail(server.url, name="T.bin", mimeType="x/y"), NOW)
    assert (one.name, one.mime_type) == ("T.bin", "x/y")


@pytest.mark.parametrize(
    ("answer", "kind", "reason"),
    [
        (b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", PermanentDeliveryError, "404"),
        (b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", TransientDeliveryError, "503"),
        (
            b"HTTP/1.1 302 No\r\nLocation: http://[::1]/\r\nContent-Length: 0\r\n\r\n",
            PermanentDeliveryError,
            "302",
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx",
            PermanentDeliveryError,
            "compressed",
        ),
        (b"", TransientDeliveryError, "127.0.0.1"),
    ],
    ids=["gone", "busy", "elsewhere", "compressed", "mute"],
)
def test_what_is_no_file_is_told_without_the_query(
    attachments: Attachments, answer: bytes, kind: type[Exception], reason: str
) -> None:
    with peer(says(answer, then_hang_up=True)) as server:
        with pytest.raises(kind, match=reason) as caught:
            attachments.of("a", mail(f"{server.url}/x?token=hush"), NOW)
        assert "hush" not in str(caught.value)


def test_a_failure_is_not_kept(attachments: Attachments) -> None:
    answers = iter([b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", PDF])

    def behave(connection: socket.socket, _request: bytes) -> None:
        connection.sendall(next(answers))

    with peer(behave) as server:
        with pytest.raises(TransientDeliveryError):
            attachments.of("a", mail(server.url), NOW)
        assert len(attachments.of("a", mail(server.url), NOW)) == 1


def test_all_attachments_of_an_email_have_a_largest_size(tmp_path: Path) -> None:
    attachments = opened(tmp_path, max_attachment=1024)
    size = 600
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"
    with peer(says(head % size + b"x" * size)) as server, peer(says(head % 9**9)) as endless:
        assert len(attachments.of("a", mail(f"{server.url}/1"), NOW)) == 1
        with pytest.raises(PermanentDeliveryError, match="larger than 424"):
            attachments.of("a", mail(f"{server.url}/1", f"{server.url}/2"), NOW)
        with pytest.raises(TransientDeliveryError):
            opened(tmp_path, max_attachment=1024, lease=0.6).of("a", mail(endless.url), NOW)
    attachments.close()


def test_addresses_that_are_not_public_are_refused(tmp_path: Path) -> None:
    with peer(says(PDF)) as server:
        check_refused(opened(tmp_path, callback_allow=""), server)


def check_refused(attachments: Attachments, server: Peer) -> None:
    for url in (server.url, server.url.replace("127.0.0.1", "localhost")):
        with pytest.raises(PermanentDeliveryError, match="loopback"):
            attachments.of("a", mail(url), NOW)
    assert server.connections == 0
    attachments.close()


def test_with_authentication_each_tenant_has_a_folder(tmp_path: Path) -> None:
    for tenant in ("a", "b"):
        (tmp_path / tenant).mkdir()
        (tmp_path / tenant / "terms.txt").write_text(tenant)
    apart, together = opened(tmp_path, jwks="keys.json"), opened(tmp_path)
    named = {"attachment": [{"path": "terms.txt"}]}
    assert apart.of("b", named, NOW)[0].content == b"b"
    for path in ("../a/terms.txt", "/../a/terms.txt", "a/terms.txt"):
        with pytest.raises(PermanentDeliveryError):
            apart.of("b", {"attachment": [{"path": path}]}, NOW)
    assert together.of("default", {"attachment": [{"path": "a/terms.txt"}]}, NOW)[0].content == b"a"
    apart.close()
    together.close()
