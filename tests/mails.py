"""Mails as a reader parses them."""

import email
from email.header import decode_header, make_header
from email.message import Message
from email.utils import getaddresses

from channels.base import Outbound
from channels.email.email_message import build_mail
from channels.testing import SENDER, outbound

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
"""The only ones that a value may make."""


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
