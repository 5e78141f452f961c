"""`tidings bounce` and `tidings suppression`, as a mail server and an operator call them."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.bounces import ADDRESS, SECRET, report
from tests.processes import new_folder
from tests.running import COMMANDS, Embedded, embedded, environment

MAIL = {"type": "Email", "subject": "Hello", "content": "Hello"}
BOUNCES = {"bounce_address": str(ADDRESS.base), "bounce_secret": SECRET}


@pytest.fixture(scope="module")
def up() -> Iterator[Embedded]:
    with embedded(**BOUNCES) as running:
        yield running


def call(
    running: Embedded, *arguments: str, mail: bytes = b"", **settings: object
) -> subprocess.CompletedProcess[bytes]:
    """`tidings` with these arguments, the mail on its standard input."""
    given = {"data": running.folder / "data", **BOUNCES, **settings}
    return subprocess.run(
        [str(COMMANDS / "tidings"), *arguments],
        input=mail,
        env=environment(running.folder, **given),
        cwd=running.folder,
        capture_output=True,
        check=False,
        timeout=600,
    )


def sent(running: Embedded, address: str) -> dict[str, Any]:
    """The delivery of a mail to the address, once it is over."""
    message = running.api.send(**MAIL, receiver=[{"email": address}])
    running.api.ends(message)
    (delivery,) = running.api.deliveries(message)
    return delivery


def test_an_address_whose_mail_came_back_is_written_to_when_an_operator_says_so(
    up: Embedded,
) -> None:
    address = "Ann@example.com"
    delivery = sent(up, address)
    assert delivery["state"] == "delivered"
    comes_back_to = str(ADDRESS.of(delivery["id"]))

    assert call(up, "bounce", mail=report(to=comes_back_to)).returncode == os.EX_OK

    failed = sent(up, address)
    assert (failed["state"], failed["attempts"]) == ("failed", 1)
    assert failed["reason"].startswith("suppressed: ")
    listed = call(up, "suppression", "list").stdout.decode().split("\t")
    assert (listed[0], listed[2:]) == ("ann@example.com", ["default", "550 5.1.1 so it is\n"])
    assert call(up, "suppression", "remove", "ANN@example.com").returncode == 0
    assert call(up, "suppression", "remove", "ANN@example.com").returncode == 1
    assert sent(up, address)["state"] == "delivered"
    assert b"not written to" in call(up, "suppression", "add", address).stdout
    assert sent(up, address)["state"] == "failed"
    assert call(up, "suppression", "add", "nobody").returncode == 1
    assert call(up, "suppression", "list", "--tenant", "another").stdout == b""


def test_a_mail_server_is_told_what_to_do_with_the_mail(up: Embedded) -> None:
    ours = str(ADDRESS.of(sent(up, "bo@example.com")["id"]))
    away = "postgresql+psycopg://nobody@127.0.0.1:9/none"
    large = report(to=ours) + b"x" * 3_000_000
    calls = {
        os.EX_OK: call(up, "bounce", "--recipient", ours, mail=large),
        os.EX_DATAERR: call(up, "bounce", mail=b"Subject: I am on holiday\n\nBye\n"),
        os.EX_NOUSER: call(up, "bounce", mail=report()),
        os.EX_TEMPFAIL: call(up, "bounce", mail=report(to=ours), database_url=away),
        os.EX_CONFIG: call(up, "bounce", mail=report(to=ours), bounce_secret="short"),
    }
    assert {code: one.returncode for code, one in calls.items()} == {code: code for code in calls}


def test_a_folder_of_mails_is_read_and_put_away(up: Embedded) -> None:
    ours = str(ADDRESS.of(sent(up, "cid@example.com")["id"]))
    folder = new_folder()
    (folder / "1.eml").write_bytes(report(to=ours))
    (folder / "2.eml").write_bytes(b"Subject: I am on holiday\n\nBye\n")
    (folder / "3.eml").symlink_to(Path("/etc/passwd"))
    (folder / "folder").mkdir()

    assert call(up, "bounce", "--maildir", str(folder)).returncode == 0

    names = sorted(file.name for file in folder.iterdir())
    assert names == ["1.eml.seen", "2.eml.flagged", "3.eml.flagged", "folder"]
    assert b"cid@" not in call(up, "bounce", "--maildir", str(folder)).stderr
    assert call(up, "bounce", "--maildir", "/no/such").returncode == os.EX_CONFIG
