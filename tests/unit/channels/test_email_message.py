import email
import re
from collections.abc import Iterable
from email.header import decode_header, make_header
from email.message import Message
from email.utils import getaddresses, parsedate_to_datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from channels.base import Attachment, Outbound, Sender
from channels.email.email_message import build_mail
from channels.email.mail_policy import MailPolicy
from channels.email.mime import one_line
from channels.testing import SENDER, outbound
from communication import clock
from communication.errors import PermanentDeliveryError
from communication.mail.bounce_address import BounceAddress
from communication.wire.mailbox import mailbox as parse

ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
HEADERS = {
    "Date",
    "From",
    "To",
    "Subject",
    "Message-ID",
    "Auto-Submitted",
    "Reply-To",
    "X-Priority",
    "Importance",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
}


def plain_message(**changes: object) -> Outbound:
    return outbound(**{"html": None, "attachments": (), **changes})


def built(message: Outbound) -> Message:
    """The mail as a reader parses it, after a look at its lines."""
    content = build_mail(message, SENDER).content
    lines = content.split(b"\r\n")
    assert max(map(len, lines)) <= 998
    assert not any(b"\n" in line or b"\r" in line for line in lines)
    assert content.endswith(b"\r\n")
    return email.message_from_bytes(content)


def header(mail: Message, name: str) -> str:
    return str(make_header(decode_header(mail[name])))


def mailbox(mail: Message, name: str) -> tuple[str, str]:
    """Display name and address."""
    ((display_name, address),) = getaddresses([mail[name]])
    return str(make_header(decode_header(display_name))), address


def text(part: Message) -> str:
    payload = part.get_payload(decode=True)
    assert isinstance(payload, bytes)
    return payload.decode("utf-8")


def parts(mail: Message) -> list[Message]:
    assert mail.is_multipart()
    return [part for part in mail.get_payload() if isinstance(part, Message)]


def types(mail: Message) -> list[str]:
    return [part.get_content_type() for part in mail.walk()]


def same_lines(left: str, right: str) -> bool:
    return re.split("\r\n|\r|\n", left.rstrip("\r\n")) == re.split(
        "\r\n|\r|\n", right.rstrip("\r\n")
    )


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


INJECTIONS = [
    "a\r\nBcc: victim@example.org",
    "a\nBcc: victim@example.org",
    "a\rBcc: victim@example.org",
    "a\r\n\r\n<h1>body</h1>",
    "a\0b\x0bBcc: victim@example.org",
    "å\r\nBcc: victim@example.org",
    "a\u2028Bcc: victim@example.org",
    "a\x85Bcc: victim@example.org",
    "=?utf-8?q?a=0D=0ABcc:_victim@example.org?=",
    "=?utf-8?q?=C3=A5?=",
]


@pytest.mark.parametrize("injected", INJECTIONS)
def test_no_value_becomes_a_header(injected: str) -> None:
    file = Attachment(name=injected, mime_type="text/plain", content=b"x")
    message = outbound(
        subject=injected,
        receiver_name=injected,
        sender=Sender(name=injected, email="abc@example.net"),
        attachments=(file,),
        reply_wanted=True,
    )
    mail = built(message)
    assert set(mail.keys()) <= HEADERS
    assert header(mail, "Subject") == one_line(injected)
    assert types(mail) == ["multipart/mixed", "multipart/alternative", *types(mail)[2:]]
    assert set(parts(mail)[1].keys()) == {
        "Content-Type",
        "Content-Disposition",
        "Content-Transfer-Encoding",
    }
    assert b"Bcc" not in {key.encode() for part in mail.walk() for key in part.keys()}  # noqa: SIM118


def test_runs_of_control_characters_are_one_space() -> None:
    assert one_line(" a\r\n\tb\0\0c\u2028d ") == "a b c d"


@pytest.mark.parametrize(
    "body",
    [
        "",
        "\n",
        ".",
        "a\n.\nb\n..\n",
        "From me\n",
        "trailing space \nand tab\t\n",
        "å" * 2000,
        "a" * 5000,
        "=" * 500,
        "x" * 998,
        "x" * 999,
        "mixed\r\nline\rends\n",
        "bell\a and null\0",
        "--=_mixed_x\n--=_alternative_y--\n",
        "日本語のメール\n" * 200,
        "almost ascii, but é\n" * 50,
    ],
    ids=range(16),
)
def test_a_body_reads_back_as_it_was(body: str) -> None:
    mail = built(outbound(text=body or " ", html=body or " "))
    alternative, _ = parts(mail)
    assert [same_lines(text(part), body or " ") for part in parts(alternative)] == [True, True]


@settings(max_examples=300, deadline=None)
@given(body=ANY_TEXT, page=ANY_TEXT, content=st.binary(max_size=300))
def test_any_body_reads_back_as_it_was(body: str, page: str, content: bytes) -> None:
    file = Attachment(name="a", mime_type="text/plain", content=content)
    mail = built(outbound(text=body or "x", html=page or "x", attachments=(file,)))
    alternative, attached = parts(mail)
    plain, html = parts(alternative)
    assert same_lines(text(plain), body or "x")
    assert same_lines(text(html), page or "x")
    assert attached.get_payload(decode=True) == content


@settings(max_examples=300, deadline=None)
@given(subject=ANY_TEXT, name=ANY_TEXT, file_name=ANY_TEXT)
@example(subject="<>", name="<>", file_name="<>")
def test_any_text_in_a_header_reads_back_on_one_line(
    subject: str, name: str, file_name: str
) -> None:
    file = Attachment(name=file_name, mime_type="text/plain", content=b"x")
    mail = built(plain_message(subject=subject, receiver_name=name, attachments=(file,)))
    assert set(mail.keys()) <= HEADERS
    assert squeezed([header(mail, "Subject") if "Subject" in mail else ""]) == squeezed([subject])
    shown, address = mailbox(mail, "To")
    assert address == "asa@example.org"
    assert squeezed([shown]) == squeezed([name])
    assert parts(mail)[1].get_filename() == one_line(file_name)


def squeezed(texts: Iterable[str]) -> list[str]:
    """Without white space: a reader may fold it as it likes."""
    return ["".join(one_line(one).split()) for one in texts]


def test_a_subject_of_a_million_characters_is_built_in_reasonable_time() -> None:
    began = clock.now()
    built(plain_message(subject="ö" * 1_000_000))
    assert (clock.now() - began).total_seconds() < 10
