"""From a stored message and one of its receivers to what a channel sends."""

import html
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parseaddr
from typing import Any

from channels.base import Attachment, Outbound, Receiver, Sender
from communication.ids import delivery_id
from communication.placeholders import fill

_MARKUP = re.compile(r"\s*<(!doctype html|html)[\s>]", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One delivery with all that is needed to send it."""

    delivery_key: int
    message_key: int
    message_uid: str
    message_id: str
    send: int
    ordinal: int
    attempts: int
    channel: str
    priority: int
    document: Mapping[str, Any]
    receiver: Receiver
    characteristics: Mapping[str, Any]
    """The receiver's own, over the message's."""
    unwanted: bool = False
    """Its message was cancelled or deleted while the relay was handing it over."""

    @property
    def public_id(self) -> str:
        """The delivery's public id."""
        return delivery_id(self.message_uid, self.send, self.ordinal)


def render(job: Job, *, address: str, attachments: tuple[Attachment, ...]) -> Outbound:
    """Inline content with its `$Name`s replaced. Content that is an HTML page stays one."""
    values = {name: _text(value) for name, value in job.characteristics.items()}
    content = job.document.get("content") or ""
    is_html = _MARKUP.match(content) is not None
    body = fill(content, values, escape=html.escape if is_html else _as_it_is)
    subject = job.document.get("subject")
    return Outbound(
        delivery_id=job.public_id,
        address=address,
        receiver_name=job.receiver.name,
        sender=sender_of(job.document.get("sender")),
        subject=None if subject is None else fill(subject, values),
        text="" if is_html else body,
        html=body if is_html else None,
        attachments=attachments,
        reply_wanted=bool(job.document.get("callbackFlag")),
        priority=job.priority,
    )


def sender_of(given: object) -> Sender:
    """The sender as the client gave it: an object, or free text that names it."""
    if isinstance(given, str):
        return _named(given)
    if not isinstance(given, Mapping):
        return Sender()
    return Sender(
        name=_text_or_none(given.get("name")),
        email=_text_or_none(given.get("email")),
        phone=_text_or_none(given.get("phoneNumber")),
    )


def default_sender(setting: str) -> Sender:
    """The sender of TIDINGS_EMAIL_SENDER: `Name <address>` or a bare address."""
    return _named(setting)


def _named(text: str) -> Sender:
    """Of `Name <address>`, an address, or a name alone."""
    name, email = parseaddr(text)
    return Sender(name=name or None, email=email) if "@" in email else Sender(name=text)


def characteristics_of(*lists: object) -> dict[str, Any]:
    """Characteristics by name; a later list goes over an earlier one."""
    return {
        item["name"]: item.get("value") for one in lists if isinstance(one, list) for item in one
    }


def _text(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _text_or_none(value: object) -> str | None:
    return None if value is None else _text(value)


_as_it_is: Callable[[str], str] = str
