"""From a stored message and one of its receivers to what a channel sends."""

import html
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parseaddr
from typing import Any

from channels.base import Attachment, Outbound, Receiver, Sender
from communication.errors import DeliveryError
from communication.ids import delivery_id
from communication.mail.unsubscribing import UNSUBSCRIBE_URL
from communication.wire.placeholders import fill
from worker.templates.rendering import Rendered

_MARKUP = re.compile(r"\s*<(!doctype html|html)[\s>]", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One delivery with all that is needed to send it."""

    delivery_key: int
    message_key: int
    tenant: str = "default"
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
    receiver_id: str | None = None
    rendered: Rendered | DeliveryError | None = None
    """What became of its template; None where it has none, or it is not rendered yet."""
    template_version: str | None = None
    suppressed: bool = False
    """An email to an address that is not written to."""
    unwanted: bool = False
    """Its message was cancelled or deleted while the relay was handing it over."""

    @property
    def public_id(self) -> str:
        """The delivery's public id."""
        return delivery_id(self.message_uid, self.send, self.ordinal)


def render(job: Job, *, address: str, attachments: tuple[Attachment, ...]) -> Outbound:
    """What its template made, or inline content. The DeliveryError that its template ended in."""
    if isinstance(job.rendered, DeliveryError):
        raise job.rendered
    texts = _inline(job) if job.rendered is None else job.rendered
    return Outbound(
        delivery_id=job.public_id,
        address=address,
        message_id=job.message_id,
        devices=job.receiver.devices,
        receiver_name=job.receiver.name,
        sender=sender_of(job.document.get("sender")),
        subject=texts.subject,
        text=texts.text,
        html=texts.html,
        attachments=attachments,
        unsubscribe_url=job.characteristics.get(UNSUBSCRIBE_URL),
        reply_wanted=bool(job.document.get("callbackFlag")),
        priority=job.priority,
    )


def subject_of(job: Job) -> str | None:
    """The message's own subject, with its `$Name`s replaced."""
    subject = job.document.get("subject")
    return None if subject is None else fill(subject, _values(job))


def _inline(job: Job) -> Rendered:
    """Content with its `$Name`s replaced. An email's content that is an HTML page stays one."""
    content = job.document.get("content") or ""
    is_html = job.channel == "email" and _MARKUP.match(content) is not None
    body = fill(content, _values(job), escape=html.escape if is_html else _as_it_is)
    return Rendered(
        subject=subject_of(job), text="" if is_html else body, html=body if is_html else None
    )


def _values(job: Job) -> dict[str, str]:
    return {name: _text(value) for name, value in job.characteristics.items()}


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
