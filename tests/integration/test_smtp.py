"""What an SMTP server answers, and what is made of it."""

import pytest

from channels.base import Channel
from channels.email.email_message import build_mail
from channels.errors import ConfigurationFault
from channels.testing import SENDER, ChannelContract, outbound
from communication.errors import DeliveryError, PermanentDeliveryError, TransientDeliveryError
from tests.smtp_channels import Opened, failure, opened, server, url
from tests.smtp_script import SmtpServer, Step

__all__ = ["opened", "server"]


class TestContract(ChannelContract):
    @pytest.fixture
    def channel(self, server: SmtpServer, opened: Opened) -> Channel:
        return opened(url(server, "?concurrency=4"))


def test_the_mail_arrives_as_it_was_built(server: SmtpServer, opened: Opened) -> None:
    opened(url(server)).send(outbound())
    (mail,) = server.mails
    sent = build_mail(outbound(), SENDER).content
    assert mail.content.split(b"\r\n", 1)[1] == sent.split(b"\r\n", 1)[1]
    assert (mail.sender, mail.recipients) == ("tidings@example.com", ["asa@example.org"])
    assert not mail.encrypted


def test_the_queue_id_is_the_reference_else_the_message_id(
    server: SmtpServer, opened: Opened
) -> None:
    channel = opened(url(server))
    replies = {
        "250 2.0.0 Ok: queued as 4ZrF3M2xQcz1": "4ZrF3M2xQcz1",
        "250 OK id=1tAbCd-0000001-2X": "1tAbCd-0000001-2X",
        "250 2.0.0 4ALBx9ab012345 Message accepted for delivery": "4ALBx9ab012345",
        "250 thank you": "<id@example.com>",
    }
    server.on("END", *(Step(reply) for reply in replies))
    references = [channel.send(outbound(delivery_id="id")) for _ in replies]
    assert references == list(replies.values())


TRANSIENT = [
    ("MAIL", "451 4.3.0 try later"),
    ("RCPT", "450 4.2.1 mailbox busy"),
    ("RCPT", "452 4.2.2 mailbox full"),
    ("DATA", "451 4.3.0 no disk"),
    ("END", "451 4.7.1 greylisted"),
    ("MAIL", "421 4.3.2 closing"),
    ("RCPT", "421 4.3.2 closing"),
    ("DATA", "421 4.3.2 closing"),
    ("END", "421 4.3.2 closing"),
    ("EHLO", "421 4.3.2 closing"),
    ("CONNECT", "421 4.3.2 too busy"),
    ("RCPT", "503 5.5.1 send MAIL first"),
    ("RCPT", "354 what"),
    ("DATA", "250 what"),
]
PERMANENT = [
    ("MAIL", "553 5.7.1 sender not yours"),
    ("RCPT", "550 5.1.1 No such user"),
    ("RCPT", "551 user not local"),
    ("RCPT", "501 5.1.3 bad syntax"),
    ("DATA", "554 5.6.0 no"),
    ("END", "552 5.3.4 too big"),
    ("END", "550 5.7.1 spam"),
]
CONFIGURATION = [
    ("CONNECT", "554 5.7.1 no SMTP service here"),
    ("MAIL", "530 5.7.0 Authentication required"),
    ("RCPT", "530 5.7.0 Must issue a STARTTLS command first"),
]


@pytest.mark.parametrize(
    ("command", "reply", "kind"),
    [(*row, TransientDeliveryError) for row in TRANSIENT]
    + [(*row, PermanentDeliveryError) for row in PERMANENT]
    + [(*row, ConfigurationFault) for row in CONFIGURATION],
)
def test_a_refusal_is_told_by_its_reply(
    server: SmtpServer, opened: Opened, command: str, reply: str, kind: type[DeliveryError]
) -> None:
    channel = opened(url(server))
    server.on(command, Step(reply))
    error = failure(channel)
    assert isinstance(error, kind)
    assert isinstance(error, ConfigurationFault) == (kind is ConfigurationFault)
    assert error.reason == reply
    assert server.mails == []


@pytest.mark.parametrize(("command", "reply"), [*TRANSIENT, *PERMANENT])
def test_after_a_refusal_the_next_mail_goes_through(
    server: SmtpServer, opened: Opened, command: str, reply: str
) -> None:
    channel = opened(url(server, "?concurrency=1"))
    server.on(command, Step(reply))
    failure(channel)
    assert channel.send(outbound()) == "4F2X"
    assert len(server.mails) == 1


def test_a_refused_receiver_does_not_cost_the_connection(
    server: SmtpServer, opened: Opened
) -> None:
    channel = opened(url(server))
    server.always("RCPT nobody@", Step("550-5.1.1 No such user\r\n550 5.1.1 here"))
    for _ in range(3):
        assert failure(channel, address="nobody@example.org").reason == (
            "550 5.1.1 No such user here"
        )
        channel.send(outbound())
    assert server.connections == 1
    assert len(server.mails) == 3


@pytest.mark.parametrize("answer", ["hello", "99 x", "2500 x", "250-" + "x" * 70_000])
def test_what_is_not_smtp_is_transient(server: SmtpServer, opened: Opened, answer: str) -> None:
    server.on("CONNECT", Step(answer))
    assert failure(opened(url(server))).reason == "the server's answer is not SMTP"


def test_an_old_server_that_knows_no_ehlo_is_greeted_by_helo(
    server: SmtpServer, opened: Opened
) -> None:
    server.on("EHLO", Step("502 5.5.1 not implemented"))
    assert opened(url(server, "?ehlo=app.example.com")).send(outbound())
    assert server.commands["HELO"] == 1
