"""Mails that a real server gives back: sent through Postfix, refused behind it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from channels.email.mail_policy import MailPolicy
from channels.registry import open_channel
from channels.testing import environment, outbound
from communication.mail.bounces import PROVIDER
from communication.model import ATTEMPT, State
from communication.store import Store, open_store, upgrade
from tests.bounces import ADDRESS, SECRET
from tests.events import end_deliveries
from tests.messages import email, rows, states, store_message
from tests.postfix import Postfix
from tests.processes import new_folder
from tests.running import tidings
from tests.smtp_script import SmtpServer, Step
from tests.smtp_server import smtp_server
from tests.waiting import wait_until


@pytest.fixture(scope="module")
def behind() -> Iterator[SmtpServer]:
    """The server behind Postfix, which knows some of its users."""
    with smtp_server() as server:
        server.always("RCPT nobody@", Step(reply="550 5.1.1 no such user"))
        server.always("RCPT full@", Step(reply="452 4.2.2 the mailbox is full"))
        yield server


@pytest.fixture(scope="module")
def postfix(behind: SmtpServer) -> Iterator[Postfix]:
    with Postfix(relay_to=behind.port) as running:
        yield running


@pytest.fixture
def folder() -> Path:
    return new_folder()


@pytest.fixture
def database(folder: Path) -> str:
    url = f"sqlite:///{folder}/data/tidings.sqlite3"
    upgrade(url)
    return url


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    opened = open_store(database)
    yield opened
    opened.close()


def bounce(folder: Path, database: str, *arguments: str) -> int:
    settings = {"bounce_address": str(ADDRESS.base), "bounce_secret": SECRET}
    return tidings(folder, *arguments, database_url=database, **settings).wait()


def test_what_postfix_gives_back_is_recorded_and_kept(
    postfix: Postfix, behind: SmtpServer, store: Store, database: str, folder: Path
) -> None:
    addresses = ["ann@example.com", "nobody@example.com", "full@example.com"]
    head = store_message(store, email(receiver=[{"email": one} for one in addresses]))
    mail = MailPolicy(bounces=ADDRESS)
    channel = open_channel(postfix.url, replace(environment(folder), mail=mail))
    for ordinal, address in enumerate(addresses):
        channel.send(outbound(delivery_id=f"{head.uid}-1-{ordinal}", address=address))
    channel.close()
    end_deliveries(store)
    wait_until(lambda: len(postfix.returned()) == 2, otherwise="nothing came back")
    assert [one.sender for one in behind.mails] == [str(ADDRESS.of(f"{head.uid}-1-0"))]

    assert bounce(folder, database, "bounce", "--maildir", str(postfix.maildir)) == 0

    assert states(store) == [State.DELIVERED] * 3
    reasons = {row.reason for row in rows(store, ATTEMPT) if row.provider == PROVIDER}
    assert {reason[:9] for reason in reasons} == {"550 5.1.1", "452 4.2.2"}
    assert postfix.returned() == []
    assert bounce(folder, database, "suppression", "list") == 0
    assert "nobody@example.com\t" in (folder / "log").read_text()
    assert "full@example.com\t" not in (folder / "log").read_text()
