import os
import socket
from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from channels.base import Attachment
from communication.errors import PermanentDeliveryError
from worker import attachments
from worker.attachments import is_valid
from worker.fetching import Fetched


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    home = tmp_path / "attachments"
    (home / "terms").mkdir(parents=True)
    (home / "terms" / "2026.pdf").write_bytes(b"%PDF-")
    (tmp_path / "secret.txt").write_text("secret")
    return home


def read_attachment(folder: Path, item: dict[str, Any], *, largest: int = 1000) -> Attachment:
    def fetch(_url: str) -> Fetched:
        raise AssertionError("nothing is to be fetched")

    return attachments.read_attachment(folder, item, largest=largest, fetch=fetch)


def refusal(folder: Path, item: dict[str, Any], **options: int) -> str:
    with pytest.raises(PermanentDeliveryError) as caught:
        read_attachment(folder, item, **options)
    return caught.value.reason


@pytest.mark.parametrize("path", ["terms/2026.pdf", "/terms/2026.pdf", "//terms/./2026.pdf"])
def test_a_path_is_one_inside_the_folder(folder: Path, path: str) -> None:
    attachment = read_attachment(folder, {"path": path})
    assert attachment.name == "2026.pdf"
    assert attachment.mime_type == "application/pdf"
    assert attachment.content == b"%PDF-"


def test_the_client_names_the_file_and_its_type(folder: Path) -> None:
    item = {"path": "terms/2026.pdf", "name": "Terms.bin", "mimeType": "application/x-terms"}
    attachment = read_attachment(folder, item)
    assert (attachment.name, attachment.mime_type) == ("Terms.bin", "application/x-terms")


def test_a_name_without_an_ending_leaves_the_type_to_the_path(folder: Path) -> None:
    attachment = read_attachment(folder, {"path": "terms/2026.pdf", "name": "File_XYZ_001"})
    assert (attachment.name, attachment.mime_type) == ("File_XYZ_001", "application/pdf")


def test_the_folder_itself_may_be_a_link(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(folder)
    assert read_attachment(tmp_path / "link", {"path": "terms/2026.pdf"}).content == b"%PDF-"


def test_a_link_inside_the_folder_is_followed(folder: Path) -> None:
    (folder / "current.pdf").symlink_to("terms/2026.pdf")
    assert read_attachment(folder, {"path": "current.pdf"}).name == "current.pdf"


@pytest.mark.parametrize(
    "path",
    [
        "../secret.txt",
        "/../secret.txt",
        "terms/../../secret.txt",
        "terms/../terms/2026.pdf",
        "..",
        ".",
        "/",
        "terms/2026.pdf\0.png",
        "/etc/passwd",
        "terms",
        "missing.pdf",
        "terms/2026.pdf/more",
        "long" * 100,
        "/attachedfile/1, /attachedfile/",
    ],
)
def test_any_other_path_is_refused_by_its_name(folder: Path, path: str) -> None:
    assert repr(path) in refusal(folder, {"path": path})


def test_a_link_out_of_the_folder_is_refused(folder: Path) -> None:
    (folder / "out.txt").symlink_to("../secret.txt")
    (folder / "up").symlink_to("..")
    assert "leads out" in refusal(folder, {"path": "out.txt"})
    assert "leads out" in refusal(folder, {"path": "up/secret.txt"})


def test_a_neighbour_whose_name_begins_alike_is_outside(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "attachments-old").mkdir()
    (tmp_path / "attachments-old" / "a.txt").write_text("a")
    (folder / "old").symlink_to("../attachments-old")
    assert "leads out" in refusal(folder, {"path": "old/a.txt"})


def test_links_in_a_circle_are_refused(folder: Path) -> None:
    (folder / "a").symlink_to("b")
    (folder / "b").symlink_to("a")
    assert "circle" in refusal(folder, {"path": "a"})


def test_a_pipe_is_refused_and_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    assert "no ordinary file" in refusal(folder, {"path": "pipe"})


def test_a_device_and_a_socket_are_refused(folder: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / "socket"))
        assert "no ordinary file" in refusal(folder, {"path": "socket"})
    assert "no ordinary file" in refusal(Path("/dev"), {"path": "null"})


def test_a_file_of_the_largest_size_is_read_and_one_octet_more_is_refused(folder: Path) -> None:
    (folder / "full.bin").write_bytes(b"x" * 10)
    (folder / "over.bin").write_bytes(b"x" * 11)
    assert len(read_attachment(folder, {"path": "full.bin"}, largest=10).content) == 10
    assert "larger than 10" in refusal(folder, {"path": "over.bin"}, largest=10)


def test_content_comes_inline_as_base64(folder: Path) -> None:
    content = b64encode(bytes(range(256))).decode()
    item = {"content": content, "mimeType": "image/png", "name": "a.png"}
    attachment = read_attachment(folder, item)
    assert (attachment.name, attachment.mime_type) == ("a.png", "image/png")
    assert attachment.content == bytes(range(256))


def test_inline_content_may_be_folded(folder: Path) -> None:
    assert read_attachment(folder, {"content": "aGVs\r\nbG8="}).content == b"hello"


def test_inline_content_without_a_name_is_named_after_its_type(folder: Path) -> None:
    item = {"content": "aGVsbG8=", "mimeType": "application/pdf"}
    assert read_attachment(folder, item).name == "attachment.pdf"


@pytest.mark.parametrize("content", ["a", "a===", "not base64!", "åäö", "aGVsbG8=="])
def test_content_that_is_not_base64_is_refused(folder: Path, content: str) -> None:
    assert "not base64" in refusal(folder, {"content": content, "name": "a"})


def test_inline_content_has_a_largest_size(folder: Path) -> None:
    assert "larger than 4" in refusal(folder, {"content": "aGVsbG8="}, largest=4)


@pytest.mark.parametrize(
    ("name", "mime_type"),
    [
        ("a.tar.gz", "application/gzip"),
        ("a.tar.xz", "application/octet-stream"),
        ("a.html", "text/html"),
        ("a", "application/octet-stream"),
    ],
)
def test_a_missing_type_is_guessed_by_the_name(folder: Path, name: str, mime_type: str) -> None:
    assert read_attachment(folder, {"content": "", "name": name}).mime_type == mime_type


def test_a_url_beside_a_path_does_no_harm(folder: Path) -> None:
    item = {"url": "https://example.com/a.pdf", "path": "terms/2026.pdf"}
    assert read_attachment(folder, item).content == b"%PDF-"


def test_an_attachment_of_nothing_is_refused(folder: Path) -> None:
    assert "neither" in refusal(folder, {"name": "a"})


@pytest.mark.parametrize(
    ("period", "sent"),
    [
        (None, True),
        ({}, True),
        ({"startDateTime": "2026-11-21T08:00:00Z"}, True),
        ({"startDateTime": "2026-11-21T08:00:01Z"}, False),
        ({"endDateTime": "2026-11-21T08:00:00Z"}, True),
        ({"endDateTime": "2026-11-21 T07:59:59.0Z"}, False),
    ],
)
def test_an_attachment_is_sent_only_in_its_period(
    period: dict[str, str] | None,
    sent: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    assert is_valid({"validFor": period}, datetime(2026, 11, 21, 8, tzinfo=UTC)) is sent
