"""Schemas of TMF681 v1 (seed 004), and of errors."""

from collections.abc import Mapping

from api.openapi import patterns
from api.openapi.pieces import (
    Json,
    given,
    given_moment,
    items,
    moment,
    number,
    one_of,
    optional,
    record,
    ref,
    text,
    without,
)
from communication.settings import Settings

_NOTHING: Json = {"type": "null"}
_FLAG: Json = {"anyOf": [{"type": "boolean"}, text(pattern=patterns.FLAG)]}
_SMS, _EMAIL, _PUSH = ("sms", "1"), ("email", "2"), ("mobileapp", "3")
ID = text(128, least=1, pattern=patterns.PUBLIC_ID)
MESSAGE_ID: Json = {**ID, "not": {"enum": [".", "..", "send"]}}


def _type(*words: str) -> Json:
    known = f"{', '.join(words)}; in any case."
    return text(20, pattern=patterns.any_case(*words), description=known)


def _whole(high: int, numeral: str, description: str) -> Json:
    return {"anyOf": [number(0, high), text(pattern=numeral)], "description": description}


PERIOD = given({}, {"startDateTime": given_moment(), "endDateTime": given_moment()})
PARTY = given({}, {"validFor": ref("TimePeriod")}, additionalProperties=True)
CHARACTERISTIC = record(
    {
        "name": text(256, least=1, pattern=patterns.CHARACTERISTIC, examples=["Name"],
                     description="A leading $ is dropped. Each name once."),
        "value": {"description": "Any JSON value.", "examples": ["Ann"]},
    },
    {},
)  # fmt: skip
_EMAIL_ADDRESS = text(254, least=3, format="idn-email", examples=["ann@example.com"])
_PHONE = text(
    256,
    pattern=patterns.PHONE,
    description="E.164, or a short code. Its length must be one that its country has.",
    examples=["+46701234567"],
)
_APP_USER = text(256, least=1, pattern=patterns.INK, examples=["ann"])
_RECEIVER: dict[str, Json] = {
    "id": text(256),
    "name": text(512),
    "email": text(320),
    "phoneNumber": text(256),
    "appUserId": _APP_USER,
    "ip": {"anyOf": [{"type": "string", "format": "ipv4"}, {"type": "string", "format": "ipv6"}]},
    "relatedParty": {"anyOf": [ref("RelatedParty"), items(ref("RelatedParty"))]},
    "characteristic": items(ref("Characteristic"), description="Its own, over the message's."),
}
_SENDER: dict[str, Json] = {
    "id": text(512),
    "name": text(512),
    "email": text(320),
    "phoneNumber": text(512),
}


def _receiver(needed: Mapping[str, Json]) -> Json:
    return given(needed, without(_RECEIVER, needed))


def _sender(email: Json) -> Json:
    return {"anyOf": [text(512), given({}, {**_SENDER, "email": email})]}


def _attachment(required: Mapping[str, Json]) -> Json:
    return given(required, without(_ATTACHMENT, required))


_FILE = text(1024, pattern=patterns.FILE_PATH,
             description="Of a file in the tenant's attachments folder.")  # fmt: skip
_URL = text(2048, pattern=patterns.URL, description="Fetched when it is sent.")
_CONTENT = text(pattern=patterns.BASE64, contentEncoding="base64")
_MEDIA_TYPE = text(255, pattern=patterns.MEDIA_TYPE, examples=["application/pdf"])
_ATTACHMENT: dict[str, Json] = {
    "id": text(256),
    "name": text(255),
    "path": _FILE,
    "url": _URL,
    "mimeType": _MEDIA_TYPE,
    "description": text(100_000),
    "href": text(2048),
    "size": {"anyOf": [{"type": "number", "minimum": 0}, text(pattern=patterns.AMOUNT)]},
    "sizeUnit": text(64),
    "validFor": ref("TimePeriod"),
}
ATTACHMENT: Json = {
    "anyOf": [
        _attachment({"path": _FILE}),
        _attachment({"url": _URL}),
        _attachment({"content": _CONTENT, "mimeType": _MEDIA_TYPE}),
    ]
}
_OPTIONS: dict[str, Json] = {
    "priority": _whole(9, patterns.DIGIT, "0 is the highest; 4 unless given."),
    "locale": text(40, pattern=patterns.LOCALE),
    "description": text(100_000),
    "sendTime": given_moment(description="In the future: it is sent then."),
    "logFlag": _FLAG,
    "callbackFlag": _FLAG,
    "tryTimes": _whole(100, patterns.TO_HUNDRED, "How often a failed send is tried again."),
    "CommunicationRequestCharacteristic": items(ref("Characteristic")),
    "attachment": items(ref("Attachment")),
    "sender": ref("Sender"),
}
_BODY = text(
    10_000_000,
    least=1,
    pattern=patterns.INK,
    description="The text; `$Name` stands for the characteristic of that name, which must be "
    "given; `$$` for a dollar.",
)
_SUBJECT = text(998, least=1, pattern=patterns.INK)
_TEMPLATE = text(
    128, pattern=patterns.TEMPLATE, description="The name of a template, instead of content."
)


def _receivers(settings: Settings, name: str) -> Json:
    return items(ref(name), minItems=1, maxItems=settings.max_receivers)


_KINDS: tuple[tuple[str, tuple[str, ...], str, Json], ...] = (
    ("SMS", _SMS, "SmsReceiver", {}),
    ("Email", _EMAIL, "EmailReceiver", {"sender": ref("EmailSender")}),
    ("MobileApp", _PUSH, "AppReceiver", {}),
)


def _forms(settings: Settings, more: Mapping[str, Json]) -> Json:
    """A message of each type, with its content or from a template."""
    forms: list[Json] = []
    for title, words, receiver, own in _KINDS:
        subject = {} if words == _SMS else {"subject": _SUBJECT}
        required = {"type": _type(*words), "receiver": _receivers(settings, receiver)}
        rest = {**_OPTIONS, **more, **own, "subject": text(998)}
        said = given({**required, **subject, "content": _BODY}, without(rest, subject))
        made = given({**required, "template": _TEMPLATE}, rest)
        said["properties"]["template"] = made["properties"]["content"] = _NOTHING
        forms += [{"title": title, **said}, {"title": f"{title} from a template", **made}]
    return {"anyOf": forms, "description": "Attributes that are not listed are kept."}


def _patch(settings: Settings) -> Json:
    """What may be written over a stored message; the whole must be valid then."""
    return record(
        {},
        {
            **{name: optional(one) for name, one in _OPTIONS.items()},
            "type": _type(*_SMS, *_EMAIL, *_PUSH),
            "receiver": _receivers(settings, "Receiver"),
            "status": one_of("Cancelled"),
            "subject": optional(text(998)),
            "content": optional(_BODY),
            "template": optional(_TEMPLATE),
        },
        description="A merge patch (RFC 7396): what is null is taken away.",
    )


MESSAGE = record(
    {"id": {"type": "string"}, "href": {"type": "string", "format": "uri"}},
    {
        "type": one_of("SMS", "Email", "MobileApp"),
        "status": one_of("Initial", "InProgress", "Completed", "Failed", "Cancelled"),
        "priority": number(0, 9),
        "subject": optional({"type": "string"}),
        "content": {"type": "string"},
        "sendTime": moment(),
        "sendTimeComplete": moment(),
        "logFlag": {"type": "boolean"},
        "callbackFlag": {"type": "boolean"},
        "tryTimes": number(0, 100),
        "template": {"type": "string"},
        "locale": {"type": "string"},
        "description": {"type": "string"},
        "receiver": items({"type": "object"}),
        "CommunicationRequestCharacteristic": items({"type": "object"}),
        "attachment": items({"type": "object"}),
        "deliverySummary": ref("DeliverySummary"),
    },
)
SUMMARY = record(
    {name: number(0) for name in ("total", "pending", "delivered", "failed", "cancelled")}, {}
)
DELIVERY = record(
    {
        "id": {"type": "string"},
        "receiver": {"type": "object"},
        "send": number(1),
        "state": one_of("pending", "sending", "sent", "delivered", "failed", "cancelled"),
        "attempts": number(0),
        "createdAt": moment(),
        "orderPath": {"type": "string"},
    },
    {
        "reason": {"type": "string"},
        "reference": {"type": "string"},
        "templateVersion": {"type": "string"},
        "segments": number(1),
        "dueAt": moment(),
        "endedAt": moment(),
    },
)
ERROR = record(
    {
        "code": number(0, examples=[24]),
        "reason": {"type": "string"},
        "message": {"type": "string"},
        "status": number(400, 599),
        "referenceError": {"type": "string"},
        "@type": {"type": "string"},
        "@schemaLocation": {"type": "string"},
    },
    {},
)


def message_schemas(settings: Settings) -> dict[str, Json]:
    """By name, as this deployment has them."""
    return {
        "TimePeriod": PERIOD,
        "RelatedParty": PARTY,
        "Characteristic": CHARACTERISTIC,
        "Receiver": _receiver({}),
        "SmsReceiver": _receiver({"phoneNumber": _PHONE}),
        "EmailReceiver": _receiver({"email": _EMAIL_ADDRESS}),
        "AppReceiver": _receiver({"appUserId": _APP_USER}),
        "Sender": _sender(text(320)),
        "EmailSender": _sender(_EMAIL_ADDRESS),
        "Attachment": ATTACHMENT,
        "NewCommunicationMessage": _forms(settings, {"id": MESSAGE_ID}),
        "CommunicationMessageReplacement": _forms(settings, {}),
        "CommunicationMessagePatch": _patch(settings),
        "CommunicationMessage": MESSAGE,
        "DeliverySummary": SUMMARY,
        "Delivery": DELIVERY,
        "Error": ERROR,
    }
