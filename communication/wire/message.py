"""TMF681 messages from the wire: validated, and brought into one canonical form (seed 004)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from communication.catalogue.snapshot import LOCALE
from communication.errors import InvalidField
from communication.http.guard import Guard
from communication.lanes import DEFAULT_PRIORITY
from communication.mail.unsubscribing import UNSUBSCRIBE_URL, unsubscribe_url
from communication.public_id import ID_LONGEST, is_public_id
from communication.wire.attachment import read_attachment
from communication.wire.fields import Fields, Spellings, present
from communication.wire.placeholders import names_in
from communication.wire.receiver import (
    NEEDED_ADDRESS,
    Addressee,
    check_sizes,
    read_addressee,
    read_characteristics,
    read_email,
)
from communication.wire.template import Templates, check_template

APART = frozenset(
    ("id", "href", "status", "sendTime", "sendTimeComplete", "receiver", "deliverySummary")
)
"""Attributes of the resource that have columns or rows of their own, outside the document."""

MESSAGE_FIELDS = Spellings(
    *APART,
    "type",
    "priority",
    "subject",
    "content",
    "template",
    "locale",
    "description",
    "logFlag",
    "callbackFlag",
    "tryTimes",
    "attachment",
    "sender",
    "CommunicationRequestCharacteristic",
    characteristic="CommunicationRequestCharacteristic",
    contactLogFlag="logFlag",
)
SENDER_FIELDS = Spellings("id", "name", "email", "phoneNumber", "relatedParty")

TYPES = {"email": "email", "sms": "sms", "mobileapp": "push", "1": "sms", "2": "email", "3": "push"}
TYPE_NAMES = {"sms": "SMS", "email": "Email", "push": "MobileApp"}
"""The channel's name in TMF681."""

SUBJECT_LONGEST = 998
"""RFC 5322 §2.1.1: what one line of a mail may hold."""
_DESCRIPTION_LONGEST = 100_000
_CONTENT_LONGEST = 10_000_000
_SENDER_LONGEST = 512
_PRIORITIES = range(10)
_TRY_TIMES = range(101)
_NO_IDS = frozenset((".", "..", "send"))
_TEMPLATE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What a deployment decides about messages."""

    max_receivers: int
    try_times: int
    templates: Templates | None
    """None: templates are not looked at."""
    phone_region: str = ""
    """Where phone numbers without a country code are at home."""
    max_value: int = 256 * 1024
    """Most characters of one characteristic's value, as JSON where it is no text."""
    guard: Guard = field(default_factory=Guard)
    """Where attachments' URLs may lead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A valid message that is not stored yet."""

    id: str | None
    channel: str
    priority: int
    send_time: datetime | None
    document: dict[str, Any]
    """The canonical resource without the attributes in APART."""
    receivers: list[Addressee]


def is_message_id(text: str) -> bool:
    r"""Whether it may name a message: `^[\p{L}0-9._\-]+$`, and neither `.`, `..` nor `send`."""
    return is_public_id(text) and text not in _NO_IDS


def read_message(fields: Fields, rules: Rules, *, tenant: str) -> Draft:
    """A whole message of a tenant. MissingField or InvalidField for its first fault."""
    channel = _channel(fields)
    priority = fields.whole("priority", _PRIORITIES)
    known = present(
        type=TYPE_NAMES[channel],
        priority=DEFAULT_PRIORITY if priority is None else priority,
        **_texts(fields, channel),
        **_options(fields, rules),
        CommunicationRequestCharacteristic=read_characteristics(
            fields, "CommunicationRequestCharacteristic"
        ),
        attachment=fields.items("attachment", partial(read_attachment, guard=rules.guard)),
        sender=fields.nested("sender", lambda value: _sender(value, channel)),
    )
    draft = Draft(
        id=_message_id(fields),
        channel=channel,
        priority=known["priority"],
        send_time=fields.moment("sendTime"),
        document=known | fields.unknown(MESSAGE_FIELDS),
        receivers=_receivers(fields, channel, rules),
    )
    _check_values(fields, draft, rules.max_value)
    _check_placeholders(fields, draft)
    if channel == "email":
        _check_unsubscribing(fields, draft)
    if "template" in draft.document and rules.templates is not None:
        find = partial(rules.templates.snapshot, tenant=tenant)
        check_template(fields, channel, draft.document, draft.receivers, find)
    return draft


def _channel(fields: Fields) -> str:
    given = fields.text("type", most=20)
    if given is None:
        raise fields.missing("type", "is required: SMS, Email or MobileApp")
    channel = TYPES.get(given.strip().lower())
    if channel is None:
        raise fields.invalid("type", "must be SMS, Email or MobileApp (or 1, 2, 3)")
    return channel


def _message_id(fields: Fields) -> str | None:
    given = fields.text("id", most=ID_LONGEST)
    if given is not None and not is_message_id(given):
        raise fields.invalid(
            "id", "must be letters, digits, '.', '_' or '-', and not '.', '..' or 'send'"
        )
    return given


def _texts(fields: Fields, channel: str) -> dict[str, Any]:
    template = _template(fields)
    content = fields.text("content", most=_CONTENT_LONGEST)
    subject = fields.text("subject", most=SUBJECT_LONGEST)
    if content is None and template is None:
        raise fields.missing("content", "is required, unless template names a template")
    if content is not None and template is not None:
        raise fields.invalid("template", "give either content or template, not both")
    if content is not None and not content.strip():
        raise fields.invalid("content", "must not be blank")
    if template is None and channel != "sms" and not (subject or "").strip():
        missing = fields.missing if subject is None else fields.invalid
        raise missing("subject", f"is required for type {TYPE_NAMES[channel]}")
    description = fields.text("description", most=_DESCRIPTION_LONGEST)
    locale = fields.text("locale", most=40)
    if locale is not None and not LOCALE.fullmatch(locale):
        raise fields.invalid("locale", "must be a language tag such as sv or pt-BR")
    return {
        "subject": subject,
        "content": content,
        "template": template,
        "locale": locale,
        "description": description,
    }


def _template(fields: Fields) -> str | None:
    template = fields.text("template", most=ID_LONGEST)
    if template is None:
        return None
    if not _TEMPLATE.fullmatch(template):
        raise fields.invalid("template", "must be a name of letters, digits, '.', '_' or '-'")
    return template


def _options(fields: Fields, rules: Rules) -> dict[str, Any]:
    log_flag = fields.flag("logFlag")
    try_times = fields.whole("tryTimes", _TRY_TIMES)
    return {
        "logFlag": True if log_flag is None else log_flag,
        "callbackFlag": fields.flag("callbackFlag"),
        "tryTimes": rules.try_times if try_times is None else try_times,
    }


def _sender(value: object, channel: str) -> dict[str, Any] | str:
    if isinstance(value, str):
        Fields({"": value}).text("", most=_SENDER_LONGEST)
        return value
    fields = Fields.of(value, SENDER_FIELDS)
    read_email(fields, needed=channel == "email" and fields.values.get("email") is not None)
    names = ("id", "name", "email", "phoneNumber")
    texts = {name: fields.text(name, most=_SENDER_LONGEST) for name in names}
    return {name: value for name, value in fields.values.items() if texts.get(name, "") is not None}


def _receivers(fields: Fields, channel: str, rules: Rules) -> list[Addressee]:
    given = fields.values.get("receiver")
    if given is None:
        raise fields.missing("receiver", f"is required: {_EXAMPLES[channel]}")
    if isinstance(given, list) and not 1 <= len(given) <= rules.max_receivers:
        raise fields.invalid(
            "receiver", f"must have from 1 to {rules.max_receivers} items, has {len(given)}"
        )
    read = partial(read_addressee, channel=channel, phone_region=rules.phone_region)
    return fields.items("receiver", read) or []


_EXAMPLES: Mapping[str, str] = {
    channel: f'a list such as [{{"{name}": …}}]' for channel, name in NEEDED_ADDRESS.items()
}


def _check_placeholders(fields: Fields, draft: Draft) -> None:
    """InvalidField for the first placeholder that some receiver has no characteristic for."""
    given = draft.document.get("CommunicationRequestCharacteristic", ())
    known = {one["name"] for one in given}
    for name in ("subject", "content"):
        open_names = names_in(draft.document.get(name, "")) - known
        if open_names:
            _check_own_characteristics(fields, name, open_names, draft.receivers)


def _check_values(fields: Fields, draft: Draft, most: int) -> None:
    """InvalidField for the first value that is too large."""
    name = "CommunicationRequestCharacteristic"
    check_sizes(draft.document.get(name), fields.spelled(name), most)
    for place, receiver in enumerate(draft.receivers):
        if receiver.attributes:
            own = f"{fields.spelled('receiver')}[{place}].characteristic"
            check_sizes(receiver.attributes.get("characteristic"), own, most)


def _check_unsubscribing(fields: Fields, draft: Draft) -> None:
    """InvalidField for an unsubscribeUrl that can't stand in a mail's header."""
    name = "CommunicationRequestCharacteristic"
    _check_url(draft.document.get(name), fields.spelled(name))
    for place, receiver in enumerate(draft.receivers):
        if receiver.attributes:
            own = f"{fields.spelled('receiver')}[{place}].characteristic"
            _check_url(receiver.attributes.get("characteristic"), own)


def _check_url(characteristics: Any, field: str) -> None:
    for place, one in enumerate(characteristics or ()):
        if one["name"] == UNSUBSCRIBE_URL and unsubscribe_url(one["value"]) is None:
            message = "must be an https or mailto URL of at most 900 characters"
            raise InvalidField(message, field=f"{field}[{place}].value")


def _check_own_characteristics(
    fields: Fields, field: str, needed: set[str], receivers: list[Addressee]
) -> None:
    for place, receiver in enumerate(receivers):
        own = (receiver.attributes or {}).get("characteristic", ())
        lacking = sorted(needed - {one["name"] for one in own})
        if lacking:
            whose = f", for {fields.spelled('receiver')}[{place}] either" if own else ""
            raise fields.invalid(
                field,
                f"${lacking[0]} has no characteristic of that name{whose}; "
                "add one, or write $$ for a dollar",
            )
