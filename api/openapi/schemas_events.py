"""Schemas of hubs, devices, and of the seeds that tell of events."""

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
)
from communication.events.collected import Vocabulary
from communication.events.event_types import HEARD_TYPES, event_types
from communication.settings import Settings

NEW_HUB = given(
    {
        "callback": text(
            2048,
            least=1,
            pattern=patterns.URL,
            description="Its host's address must be public, or one of TIDINGS_CALLBACK_ALLOW.",
            examples=["https://in.listener.com"],
        )
    },
    {
        "query": text(
            2048,
            pattern=patterns.HUB_QUERY,
            description="A filter over the event (docs/hub.md).",
            examples=["eventType=CommunicationMessageUpdateNotification"],
        )
    },
)
_HUB = {
    "id": {"type": "string"},
    "callback": {"type": "string"},
    "query": optional({"type": "string"}),
}
_CARE = {
    "state": one_of("active", "failing", "disabled"),
    "failingSince": moment(),
    "restingUntil": moment(),
    "oldSecretUntil": moment(),
}
HUB = record(_HUB, _CARE)
REGISTERED_HUB = record(_HUB | {"secret": {"type": "string"}}, {})
_TRY = record(
    {"number": number(1), "at": moment(), "outcome": {"type": "string"}},
    {"status": number(100, 599), "reason": {"type": "string"}, "tookMs": number(0)},
)
CALLBACK = record(
    {
        "eventId": {"type": "string"},
        "eventType": {"type": "string"},
        "state": one_of("pending", "sending", "delivered", "failed", "cancelled"),
        "createdAt": moment(),
        "attempts": items(_TRY, description="Those that failed."),
    },
    {
        "status": number(100, 599),
        "reason": {"type": "string"},
        "dueAt": moment(),
        "endedAt": moment(),
    },
)
RECOVERY = record({"since": given_moment()}, {})
ROTATED = record(
    {"id": {"type": "string"}, "secret": {"type": "string"}, "oldSecretUntil": moment()}, {}
)
WEB_PUSH = record(
    {
        "endpoint": text(2048, pattern=patterns.HTTPS_URL, description="Of a public address."),
        "keys": record(
            {
                "p256dh": text(
                    pattern="^B[A-P][A-Za-z0-9_-]{85}=?$",
                    description="A point of the curve P-256, uncompressed (RFC 8291).",
                ),
                "auth": text(pattern="^[A-Za-z0-9_-]{22}(==)?$"),
            },
            {},
        ),
    },
    {},
    description="What the browser's subscribe() gave.",
)


def _device(platform: str, token: Json) -> Json:
    return given(
        {"platform": one_of(platform), "token": token},
        {"locale": text(40, pattern=patterns.LOCALE)},
        title=platform,
    )


NEW_DEVICE: Json = {
    "anyOf": [
        _device("fcm", text(4096, pattern=patterns.VISIBLE_ASCII)),
        _device("apns", text(200, pattern="^([0-9A-Fa-f]{2}){8,100}$")),
        _device("ntfy", text(64, pattern="^[A-Za-z0-9_-]{1,64}$", description="A topic.")),
        given(
            {"platform": one_of("webpush"), "subscription": ref("WebPushSubscription")},
            {"locale": text(40, pattern=patterns.LOCALE)},
            title="webpush",
        ),
    ]
}
DEVICE = record(
    {
        "id": {"type": "string"},
        "href": {"type": "string"},
        "appUserId": {"type": "string"},
        "platform": one_of("fcm", "apns", "webpush", "ntfy"),
        "createdAt": moment(),
        "registeredAt": moment(),
    },
    {
        "token": {"type": "string"},
        "subscription": {"type": "object"},
        "locale": {"type": "string"},
    },
)
HEARD = record(
    {
        "eventId": text(256, least=1, pattern=patterns.VISIBLE_ASCII, description="Once for ever."),
        "eventDate": given_moment(),
        "eventType": one_of(*HEARD_TYPES),
        "event": {"type": "object"},
    },
    {},
)
HEARD_SHOWN = record({"eventId": {"type": "string"}}, {
    "eventDate": {"type": "string"}, "eventType": {"type": "string"}, "event": {"type": "object"},
})  # fmt: skip


def _new_subscription(settings: Settings) -> Json:
    return record(
        {
            "client_id": text(128, least=1, pattern=patterns.PUBLIC_ID),
            "event_type_ids": items(one_of(*event_types(settings)), minItems=1, uniqueItems=True),
        },
        {},
    )


SUBSCRIPTION = record(
    {
        "id": {"type": "string"},
        "subscription": record(
            {
                "client_id": {"type": "string"},
                "event_type_ids": items({"type": "string"}),
                "subscribed_by": {"type": "string"},
                "subscription_date": moment(),
                "notification_url": {"type": "string"},
                "notification_page_size": number(1),
            },
            {},
        ),
        "subscription_status": record(
            {
                "last_request_date": optional(moment()),
                "number_of_remaining_notifications": number(0),
            },
            {},
        ),
    },
    {},
)
NOTIFICATIONS = record(
    {"page": number(0), "size": number(1), "results": items({"type": "object"})}, {}
)
NOTIFICATION_CODE = record(
    {"code": text(pattern="^NOT0000[0-9]{2}$"), "description": {"type": "string"}}, {}
)
ORDER_EVENT = record({"event": {"type": "string"}, "order": ref("Order")}, {})
ORDER = record(
    {
        "path": {"type": "string"},
        "accessId": {"type": "string"},
        "service": {"type": "string"},
        "operation": {"type": "string"},
        "state": one_of("RECEIVED", "DONE_SUCCESS", "DONE_FAILED"),
    },
    {"message": {"type": "string"}},
)
CAUSE = record({"cause": {"type": "string"}}, {})
_WORD = text(512, least=1, pattern=patterns.INK)
_BASE64 = text(pattern=patterns.BASE64, contentEncoding="base64")


def _collected(vocabulary: Vocabulary, *, stored: bool = False) -> Json:
    return given(
        {
            "entity_id": _WORD,
            "event_payload": ref("EventPayload"),
            "event_source": one_of(*vocabulary.sources),
            "event_type": one_of(*vocabulary.types),
            **({"id": {"type": "string"}} if stored else {}),
        },
        {"entity_name": text(512)},
    )


def _payload(vocabulary: Vocabulary) -> Json:
    return given(
        {"operation": one_of(*vocabulary.operations)},
        {
            "base64_encoded_fault_json": _BASE64,
            "base64_encoded_payload_json": _BASE64,
            "entity_id": text(512, description="The event's, unless given."),
            "key_attributes": {"type": "object"},
        },
    )


def event_schemas(settings: Settings) -> dict[str, Json]:
    """By name, as this deployment has them."""
    vocabulary = Vocabulary.of(settings)
    return {
        "NewHub": NEW_HUB,
        "Hub": HUB,
        "RegisteredHub": REGISTERED_HUB,
        "Callback": CALLBACK,
        "Recovery": RECOVERY,
        "RotatedSecret": ROTATED,
        "WebPushSubscription": WEB_PUSH,
        "NewDevice": NEW_DEVICE,
        "Device": DEVICE,
        "ListenerEvent": HEARD,
        "ListenerEventShown": HEARD_SHOWN,
        "NewSubscription": _new_subscription(settings),
        "Subscription": SUBSCRIPTION,
        "Notifications": NOTIFICATIONS,
        "NotificationCode": NOTIFICATION_CODE,
        "OrderEvent": ORDER_EVENT,
        "Order": ORDER,
        "Cause": CAUSE,
        "CollectedEvent": _collected(vocabulary),
        "StoredEvent": _collected(vocabulary, stored=True),
        "EventPayload": _payload(vocabulary),
    }
