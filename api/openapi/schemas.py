"""Schemas of TMF681 v1 (seed 004), and of errors."""

from api.openapi.pieces import (
    MOMENT,
    Json,
    given,
    items,
    moment,
    number,
    one_of,
    optional,
    record,
    ref,
    text,
)

_FLAG: Json = {
    "anyOf": [
        {"type": "boolean"},
        {"type": "string", "pattern": r"^\s*([tT][rR][uU][eE]|[fF][aA][lL][sS][eE])\s*$"},
    ]
}
_ID = text(128, least=1, pattern=r"^[\p{L}0-9._\-]+$")
_TYPE = text(
    20,
    pattern=r"^\s*([sS][mM][sS]|[eE][mM][aA][iI][lL]|[mM][oO][bB][iI][lL][eE][aA][pP][pP]|1|2|3)\s*$",
    description="SMS, Email or MobileApp, in any case; or 1, 2, 3.",
    examples=["Email"],
)


def _whole(high: int, description: str) -> Json:
    numeral = {"type": "string", "pattern": r"^\s*\+?[0-9]{1,9}\s*$"}
    return {"anyOf": [number(0, high), numeral], "description": description}


PERIOD = given({}, {"startDateTime": moment(), "endDateTime": moment()})
PARTY = given({}, {"validFor": ref("TimePeriod")}, additionalProperties=True)
CHARACTERISTIC = record(
    {
        "name": text(256, least=1, examples=["Name"], description="A leading $ is dropped."),
        "value": {"description": "Any JSON value.", "examples": ["Ann"]},
    },
    {},
)
RECEIVER = given(
    {},
    {
        "id": text(256),
        "name": text(512),
        "email": text(320, description="Required for Email.", examples=["ann@example.com"]),
        "phoneNumber": text(256, description="Required for SMS.", examples=["+46701234567"]),
        "appUserId": text(256, description="Required for MobileApp.", examples=["ann"]),
        "ip": text(64, examples=["192.0.2.7"]),
        "relatedParty": {"anyOf": [ref("RelatedParty"), items(ref("RelatedParty"))]},
        "characteristic": items(ref("Characteristic"), description="Its own, over the message's."),
    },
)
SENDER: Json = {
    "anyOf": [
        text(512),
        given(
            {},
            {"id": text(512), "name": text(512), "email": text(320), "phoneNumber": text(512)},
        ),
    ]
}
ATTACHMENT = given(
    {},
    {
        "id": text(256),
        "name": text(255),
        "path": text(1024, description="Of a file in the tenant's attachments folder."),
        "url": text(2048, description="http or https; fetched when it is sent."),
        "content": text(description="In base64; mimeType is required with it."),
        "mimeType": text(255, examples=["application/pdf"]),
        "description": text(100_000),
        "href": text(2048),
        "size": {"anyOf": [{"type": "number", "minimum": 0}, {"type": "string"}]},
        "sizeUnit": text(64),
        "validFor": ref("TimePeriod"),
    },
    description="One of path, url and content is required.",
)
_NO_TEMPLATE: Json = {"template": {"type": "null"}}
_NO_CONTENT: Json = {"content": {"type": "null"}}
_EDITABLE: dict[str, Json] = {
    "priority": _whole(9, "0 is the highest; 4 unless given."),
    "subject": text(998, description="Required for Email and MobileApp without a template."),
    "content": text(10_000_000, description="The text; `$Name` stands for a characteristic."),
    "template": text(
        128, pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$", description="Instead of content."
    ),
    "locale": text(40, pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,3}$"),
    "description": text(100_000),
    "sendTime": moment(description="In the future: it is sent then."),
    "logFlag": _FLAG,
    "callbackFlag": _FLAG,
    "tryTimes": _whole(100, "How often a failed send is tried again."),
    "CommunicationRequestCharacteristic": items(ref("Characteristic")),
    "attachment": items(ref("Attachment")),
    "sender": ref("Sender"),
}
NEW_MESSAGE = given(
    {"type": _TYPE, "receiver": items(ref("Receiver"), minItems=1, maxItems=100_000)},
    {"id": _ID, **_EDITABLE},
    description="Attributes that are not listed are kept and answered.",
    oneOf=[
        {"required": ["content"], "properties": {"content": {"type": "string"}, **_NO_TEMPLATE}},
        {"required": ["template"], "properties": {"template": {"type": "string"}, **_NO_CONTENT}},
    ],
)
MESSAGE_PATCH = given(
    {},
    {
        "type": _TYPE,
        "receiver": items(ref("Receiver"), minItems=1, maxItems=100_000),
        "status": one_of("Cancelled"),
        **_EDITABLE,
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
        "receiver": items({"type": "object"}),
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

SCHEMAS: dict[str, Json] = {
    "TimePeriod": PERIOD,
    "RelatedParty": PARTY,
    "Characteristic": CHARACTERISTIC,
    "Receiver": RECEIVER,
    "Sender": SENDER,
    "Attachment": ATTACHMENT,
    "NewCommunicationMessage": NEW_MESSAGE,
    "CommunicationMessagePatch": MESSAGE_PATCH,
    "CommunicationMessage": MESSAGE,
    "DeliverySummary": SUMMARY,
    "Delivery": DELIVERY,
    "Error": ERROR,
}

EMAIL = {
    "type": "Email",
    "subject": "Your order, $Name",
    "content": "Dear $Name, your $Product is on its way.",
    "CommunicationRequestCharacteristic": [
        {"name": "Name", "value": "customer"},
        {"name": "Product", "value": "lamp"},
    ],
    "receiver": [{"name": "Ann", "email": "ann@example.com"}],
}
SMS = {
    "type": "SMS",
    "content": "Your code is 4711.",
    "priority": 0,
    "receiver": [{"phoneNumber": "+46701234567"}],
}
MESSAGE_EXAMPLE = {
    "id": "01a1fe62-94d4-7064-bcf6-6d8761223b2c",
    "href": "http://127.0.0.1:8080/communicationMessage/v1/communicationMessage/"
    "01a1fe62-94d4-7064-bcf6-6d8761223b2c",
    "type": "SMS",
    "status": "InProgress",
    "priority": 0,
    "content": "Your code is 4711.",
    "sendTime": MOMENT,
    "logFlag": True,
    "tryTimes": 3,
    "receiver": [{"phoneNumber": "+46701234567"}],
    "deliverySummary": {"total": 1, "pending": 1, "delivered": 0, "failed": 0, "cancelled": 0},
}
ERROR_EXAMPLE = {
    "code": 23,
    "reason": "Missing body field",
    "message": "receiver: is required: a list such as [{'phoneNumber': …}]",
    "status": 400,
    "referenceError": "/docs#error-23",
    "@type": "Error",
    "@schemaLocation": "/openapi.json#/components/schemas/Error",
}
