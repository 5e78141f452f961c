"""Mails as they reach an SMTP server: any script, any size, nothing injected."""

import email
from email.header import decode_header, make_header

import pytest

from channels.base import Attachment
from channels.testing import outbound
from communication.errors import PermanentDeliveryError
from tests.smtp_channels import Opened, failure, opened, server, url
from tests.smtp_script import SmtpServer
from tests.smtp_server import smtp_server

__all__ = ["opened", "server"]


def test_a_mail_over_the_servers_size_is_refused_before_it_is_sent(opened: Opened) -> None:
    with smtp_server(size_limit=10_000) as server:
        channel = opened(url(server))
        error = failure(channel, text="x" * 20_000)
        assert isinstance(error, PermanentDeliveryError)
        assert "the server takes 10000" in error.reason
        assert server.commands["MAIL"] == 0
        assert channel.send(outbound())


def test_an_international_address_goes_by_smtputf8(server: SmtpServer, opened: Opened) -> None:
    opened(url(server)).send(outbound(address="åsa@räksmörgås.se"))
    assert server.mails[0].recipients == ["åsa@xn--rksmrgs-5wao1o.se"]


def test_an_international_address_is_refused_where_smtputf8_is_not_offered(opened: Opened) -> None:
    with smtp_server(smtputf8=False) as server:
        channel = opened(url(server))
        error = failure(channel, address="åsa@example.org")
        assert isinstance(error, PermanentDeliveryError)
        assert "SMTPUTF8" in error.reason
        assert channel.send(outbound(address="asa@räksmörgås.se"))


def test_a_subject_and_names_in_any_script_arrive(server: SmtpServer, opened: Opened) -> None:
    subject = "Räksmörgås 日本語 🎉 " * 10
    opened(url(server)).send(outbound(subject=subject, receiver_name="Žofie Ωmega"))
    mail = email.message_from_bytes(server.mails[0].content)
    assert str(make_header(decode_header(mail["Subject"]))) == subject.strip()
    assert str(make_header(decode_header(mail["To"]))) == "Žofie Ωmega <asa@example.org>"


def test_attachments_arrive_as_they_were(server: SmtpServer, opened: Opened) -> None:
    content = bytes(range(256)) * 1000
    files = (Attachment(name="räkning.pdf", mime_type="application/pdf", content=content),)
    opened(url(server)).send(outbound(attachments=files))
    mail = email.message_from_bytes(server.mails[0].content)
    (attached,) = [part for part in mail.walk() if part.get_filename()]
    assert attached.get_filename() == "räkning.pdf"
    assert attached.get_payload(decode=True) == content


def test_lines_of_dots_arrive_as_they_were(server: SmtpServer, opened: Opened) -> None:
    text = ".\n..\n.a\n\n.\nend\n"
    opened(url(server)).send(outbound(text=text, html=None, attachments=()))
    mail = email.message_from_bytes(server.mails[0].content)
    payload = mail.get_payload(decode=True)
    assert isinstance(payload, bytes)
    assert payload.decode() == text.replace("\n", "\r\n")


def test_a_mail_of_five_megabytes_arrives(server: SmtpServer, opened: Opened) -> None:
    content = bytes(5_000_000)
    files = (Attachment(name="a.bin", mime_type="application/octet-stream", content=content),)
    opened(url(server), send_timeout=30).send(outbound(attachments=files))
    assert len(server.mails[0].content) > 6_600_000


@pytest.mark.parametrize(
    "changes",
    [
        {"subject": "a\r\nBcc: victim@example.org"},
        {"receiver_name": "a\r\nBcc: victim@example.org"},
        {"text": "a\r\n.\r\nMAIL FROM:<x@example.org>\r\n", "html": None},
        {"text": "a\n.\nRCPT TO:<victim@example.org>\r.\r", "html": None},
    ],
)
def test_no_value_becomes_a_command_or_a_header(
    server: SmtpServer, opened: Opened, changes: dict[str, str]
) -> None:
    opened(url(server)).send(outbound(**changes))
    (mail,) = server.mails
    assert mail.recipients == ["asa@example.org"]
    assert "Bcc" not in email.message_from_bytes(mail.content)
    assert server.commands["MAIL"] == server.commands["RCPT"] == 1


@pytest.mark.parametrize(
    "address", ["asa@example.org>\r\nRCPT TO:<victim@example.org", "a\nb@example.org", "a b@c"]
)
def test_an_address_that_is_none_never_reaches_the_server(
    server: SmtpServer, opened: Opened, address: str
) -> None:
    assert isinstance(failure(opened(url(server)), address=address), PermanentDeliveryError)
    assert server.connections == 0
