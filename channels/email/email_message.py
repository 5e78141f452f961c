"""The mail that stands for one rendered message."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache

import html_text

from channels.addresses import mailbox
from channels.base import Outbound, Sender
from channels.email.dkim import signed
from channels.email.mail_policy import MailPolicy
from channels.email.mime import attachment_part, header, mailbox_header, multipart, text_part
from channels.identifiers import digest, plain
from communication import clock
from communication.mail.unsubscribing import is_one_click, unsubscribe_url
from communication.wire.mailbox import Mailbox

_URGENT = (0, 1)


_PLAIN_POLICY = MailPolicy()


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A mail and its envelope. `content` has CRLF line ends and no line over 998 octets."""

    content: bytes = field(repr=False)
    sender: Mailbox
    """Where it comes back to if it can't be delivered."""
    recipient: Mailbox
    message_id: str
    international: bool
    """Whether only a server with SMTPUTF8 can take it."""


def build_mail(
    outbound: Outbound, default_sender: Sender, policy: MailPolicy = _PLAIN_POLICY
) -> Mail:
    """The mail of an outbound message, the same at every try but for its Date and signatures.

    The default sender's address, and then also its name, stands in where the message's
    sender has none. Whatever the texts hold, none of them becomes a header.
    PermanentDeliveryError if either address is none.
    """
    sender = mailbox(outbound.sender.email or default_sender.email or "", "sender")
    recipient = mailbox(outbound.address, "receiver")
    message_id = f"<{plain(outbound.delivery_id)}@{sender.domain}>"
    own_name = outbound.sender.name
    name = own_name if own_name or outbound.sender.email else default_sender.name
    moment = int(clock.now().timestamp())
    headers = _headers(outbound, name, sender, recipient, message_id)
    head = f"Date: {_date(moment)}\r\n" + "".join(headers)
    return Mail(
        content=signed(head.encode() + _body(outbound), policy.keys, moment),
        sender=policy.bounces.of(outbound.delivery_id) if policy.bounces else sender,
        recipient=recipient,
        message_id=message_id,
        international=sender.international or recipient.international,
    )


@lru_cache(maxsize=2)
def _date(moment: int) -> str:
    return format_datetime(datetime.fromtimestamp(moment, UTC))


def _headers(
    outbound: Outbound, name: str | None, sender: Mailbox, recipient: Mailbox, message_id: str
) -> Iterator[str]:
    yield mailbox_header("From", name, str(sender))
    yield mailbox_header("To", outbound.receiver_name, str(recipient))
    if outbound.subject:
        yield header("Subject", outbound.subject)
    yield f"Message-ID: {message_id}\r\n"
    if outbound.reply_wanted:
        yield mailbox_header("Reply-To", name, str(sender))
    else:
        yield "Auto-Submitted: auto-generated\r\n"
    if outbound.priority in _URGENT:
        yield "X-Priority: 1\r\nImportance: high\r\n"
    url = unsubscribe_url(outbound.unsubscribe_url)
    if url:
        yield f"List-Unsubscribe: <{url}>\r\n"
    if url and is_one_click(url):
        yield "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    yield "MIME-Version: 1.0\r\n"


def _body(outbound: Outbound) -> bytes:
    seed = digest(outbound.delivery_id, 12)
    content = _content(outbound, seed)
    if not outbound.attachments:
        return content
    attached = [attachment_part(attachment) for attachment in outbound.attachments]
    return multipart("mixed", [content, *attached], seed)


def _content(outbound: Outbound, seed: str) -> bytes:
    if not outbound.html:
        return text_part("plain", outbound.text)
    text = outbound.text or html_text.extract_text(outbound.html)
    parts = [text_part("plain", text), text_part("html", outbound.html)]
    return multipart("alternative", parts, seed)
