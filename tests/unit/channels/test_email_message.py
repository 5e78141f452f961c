"""What a mail is made of, and what its headers say."""

import email
import re
from email.utils import parsedate_to_datetime

import pytest

from channels.base import Attachment, Sender
from channels.email.email_message import build_mail
from channels.email.mail_policy import MailPolicy
from channels.testing import SENDER, outbound
from communication import clock
from communication.errors import PermanentDeliveryError
from communication.mail.bounce_address import BounceAddress
from communication.wire.mailbox import mailbox as parse
from tests.mails import HEADERS, built, mailbox, parts, plain_message, text, types


def test_text_alone_is_a_single_part() -> None:
    mail = built(plain_message(text="Hello\nBob"))
    assert types(mail) == ["text/plain"]
    assert text(mail) == "Hello\r\nBob\r\n"
    assert mail["Content-Transfer-Encoding"] == "7bit"


def test_html_comes_with_a_text_alternative() -> None:
    mail = built(outbound(attachments=(), text="as text", html="<p>as page</p>"))
    assert types(mail) == ["multipart/alternative", "text/plain", "text/html"]
    assert [text(part).strip() for part in parts(mail)] == ["as text", "<p>as page</p>"]


def test_a_missing_text_is_derived_from_the_html() -> None:
    page = "<html><style>p {}</style><p>Dear <b>Åsa</b>,</p><p>hello.</p></html>"
    mail = built(outbound(attachments=(), text="", html=page))
    assert text(parts(mail)[0]).split() == ["Dear", "Åsa,", "hello."]


def test_attachments_stand_beside_the_content() -> None:
    files = (
        Attachment(name="a.pdf", mime_type="application/pdf", content=bytes(range(256)) * 20),
        Attachment(name="räkning.txt", mime_type="text/plain; charset=utf-8", content=b""),
    )
    mail = built(outbound(attachments=files))
    assert types(mail)[:2] == ["multipart/mixed", "multipart/alternative"]
    for part, file in zip(parts(mail)[1:], files, strict=True):
        assert part.get_content_disposition() == "attachment"
        assert part.get_filename() == file.name
        assert part.get_content_type() == file.mime_type.partition(";")[0]
        assert part.get_payload(decode=True) == file.content


@pytest.mark.parametrize(
    "mime_type",
    [
        "",
        "pdf",
        "a/b/c",
        "text/plain\r\nX: y",
        "message/rfc822",
        "multipart/mixed",
        "åä/ö",
    ],
)
def test_a_type_that_cannot_be_used_goes_as_octets(mime_type: str) -> None:
    file = Attachment(name="a", mime_type=mime_type, content=b"x")
    assert types(built(plain_message(attachments=(file,))))[-1] == "application/octet-stream"


@pytest.mark.parametrize("mime_type", ["text/csv; a=b; c=d", "text/csv ;\r\n x", "text/csv;"])
def test_a_type_loses_parameters_that_are_not_one_plain_pair(mime_type: str) -> None:
    file = Attachment(name="a", mime_type=mime_type, content=b"x")
    attached = parts(built(plain_message(attachments=(file,))))[1]
    assert attached["Content-Type"] == "text/csv"


@pytest.mark.parametrize(
    "name",
    [
        "räkning 2026.pdf",
        'a "quoted" \\ name; x=y.txt',
        "請求書" * 60 + ".pdf",
        "long" * 100 + ".pdf",
        "100%.txt",
        "it's*.txt",
        "=?utf-8?q?x=0D=0ABcc:_eve@example.com?=",
    ],
)
def test_an_attachment_keeps_its_name(name: str) -> None:
    file = Attachment(name=name, mime_type="text/plain", content=b"x")
    assert parts(built(plain_message(attachments=(file,))))[1].get_filename() == name


def test_a_reply_goes_to_the_sender_when_it_is_wanted() -> None:
    sender = Sender(name="ABC Company", email="abc@example.net")
    mail = built(plain_message(sender=sender, reply_wanted=True))
    assert mailbox(mail, "From") == mailbox(mail, "Reply-To") == ("ABC Company", "abc@example.net")
    assert "Auto-Submitted" not in mail


def test_a_mail_that_wants_no_reply_says_that_a_machine_wrote_it() -> None:
    mail = built(plain_message())
    assert mail["Auto-Submitted"] == "auto-generated"
    assert "Reply-To" not in mail


@pytest.mark.parametrize(
    ("sender", "shown"),
    [
        (Sender(), ("Tidings", "tidings@example.com")),
        (Sender(name="ABC"), ("ABC", "tidings@example.com")),
        (Sender(email="abc@example.net"), ("", "abc@example.net")),
        (Sender(name="ABC", email="abc@example.net"), ("ABC", "abc@example.net")),
    ],
)
def test_the_default_sender_stands_in(sender: Sender, shown: tuple[str, str]) -> None:
    assert mailbox(built(plain_message(sender=sender)), "From") == shown


def test_only_urgent_mail_says_so() -> None:
    assert built(plain_message(priority=1))["Importance"] == "high"
    assert built(plain_message(priority=0))["X-Priority"] == "1"
    assert "Importance" not in built(plain_message(priority=2))


def test_a_mail_says_how_to_leave_the_list() -> None:
    mail = built(plain_message(unsubscribe_url="https://example.org/leave?who=4711&list=a"))
    assert mail["List-Unsubscribe"] == "<https://example.org/leave?who=4711&list=a>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_one_click_is_for_https_alone() -> None:
    mail = built(plain_message(unsubscribe_url="mailto:leave@example.org?subject=4711"))
    assert mail["List-Unsubscribe"] == "<mailto:leave@example.org?subject=4711>"
    assert "List-Unsubscribe-Post" not in mail


@pytest.mark.parametrize(
    "url",
    [
        *("https://example.org/>\r\nBcc: x@example.org", "http://example.org", "https://a b", ""),
        *("javascript:x", "https://example.org/" + "a" * 900, "https://exämple.org", 5, {"a": 1}),
    ],
    ids=range(9),
)
def test_what_is_no_url_to_unsubscribe_by_gets_no_header(url: object) -> None:
    mail = built(plain_message(unsubscribe_url=url))
    assert set(mail) <= HEADERS


def test_a_bounce_comes_to_an_address_of_the_deliverys_own() -> None:
    delivery = "0192f0c1-7a5e-7b44-9d10-3c4d5e6f7a8b-1-0"
    bounces = BounceAddress(base=parse("bounce@example.com"), secrets=["x" * 16])
    mail = build_mail(plain_message(delivery_id=delivery), SENDER, MailPolicy(bounces=bounces))
    assert mail.sender == bounces.of(delivery)
    assert email.message_from_bytes(mail.content)["From"] == "Tidings <tidings@example.com>"


def test_the_message_id_is_the_deliverys_and_the_senders_domains() -> None:
    sender = Sender(email="abc@räksmörgås.se")
    mail = build_mail(plain_message(delivery_id="id-1-0", sender=sender), SENDER)
    assert mail.message_id == "<id-1-0@xn--rksmrgs-5wao1o.se>"
    assert email.message_from_bytes(mail.content)["Message-ID"] == mail.message_id


@pytest.mark.parametrize("odd", ["a b>", "..", "å" * 500, "a@b", ""])
def test_an_odd_id_still_makes_a_message_id(odd: str) -> None:
    message_id = built(plain_message(delivery_id=odd))["Message-ID"]
    assert re.fullmatch(r"<[A-Za-z0-9%_~-]+@example\.com>", message_id)


def test_a_repeat_differs_in_its_date_alone() -> None:
    first, second = (build_mail(outbound(), SENDER).content for _ in range(2))
    assert re.sub(rb"Date: .*", b"", first) == re.sub(rb"Date: .*", b"", second)
    date = parsedate_to_datetime(email.message_from_bytes(first)["Date"])
    assert abs((clock.now() - date).total_seconds()) < 60


def test_an_international_address_is_written_in_utf8_and_says_what_it_needs() -> None:
    mail = build_mail(plain_message(address="åsa@räksmörgås.se"), SENDER)
    assert mail.international
    assert "<åsa@xn--rksmrgs-5wao1o.se>".encode() in mail.content
    assert not build_mail(plain_message(address="asa@räksmörgås.se"), SENDER).international


@pytest.mark.parametrize("address", ["", "nobody", "a@b\r\nBcc: c@d"])
def test_an_unusable_address_is_refused_for_good(address: str) -> None:
    with pytest.raises(PermanentDeliveryError, match="the receiver's email address"):
        build_mail(plain_message(address=address), SENDER)
    if address:
        with pytest.raises(PermanentDeliveryError, match="the sender's email address"):
            build_mail(plain_message(sender=Sender(email=address)), SENDER)
