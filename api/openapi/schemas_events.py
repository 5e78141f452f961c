"""Schemas of hubs, devices, and of the seeds that tell of events."""

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
from communication.events.event_types import HEARD_TYPES

NEW_HUB = given(
    {
        "callback": text(
            2048, least=1, description="http or https; a public address.",
            examples=["https://in.listener.com"],
        )
    },
    {"query": text(2048, examples=["eventType=CommunicationMessageUpdateNotification"])},
)  # fmt: skip
_HUB = {
    "id": {"type": "string"},
    "callback": {"type": "string"},
    "query": optional({"type": "string"}),
}
_CARE = {
    "state": {"type": "string"},
    "failingSince": moment(),
    "restingUntil": moment(),
    "oldSecretUntil": moment(),
}
HUB = record(_HUB, _CARE)
REGISTERED_HUB = record(_HUB | {"secret": {"type": "string"}}, {})
CALLBACK = record({"eventId": {"type": "string"}, "state": {"type": "string"}}, {})
ROTATED = record(
    {"id": {"type": "string"}, "secret": {"type": "string"}, "oldSecretUntil": moment()}, {}
)
WEB_PUSH = record(
    {
        "endpoint": text(2048),
        "keys": record({"p256dh": text(4096), "auth": text(4096)}, {}),
    },
    {},
)
NEW_DEVICE = given(
    {"platform": one_of("fcm", "apns", "webpush", "ntfy")},
    {
        "token": text(4096, description="Required but for webpush."),
        "subscription": {
            "description": "Required for webpush: what the browser's subscribe() gave.",
            "anyOf": [ref("WebPushSubscription"), {"type": "object"}],
        },
        "locale": text(40, pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,3}$"),
    },
)
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
        "eventId": text(256, least=1, pattern=r"^[!-~]{1,256}$"),
        "eventDate": moment(),
        "eventType": one_of(*HEARD_TYPES),
        "event": {"type": "object"},
    },
    {},
)  # fmt: skip
HEARD_SHOWN = record({"eventId": {"type": "string"}}, {
    "eventDate": {"type": "string"}, "eventType": {"type": "string"}, "event": {"type": "object"},
})  # fmt: skip
_NAMED = text(128, least=1, pattern=r"^[\p{L}0-9._\-]+$")
NEW_SUBSCRIPTION = record(
    {
        "client_id": _NAMED,
        "event_type_ids": items(text(least=1), minItems=1, uniqueItems=True),
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
_WORD = text(512, least=1, pattern=r"\S")
COLLECTED = given(
    {
        "entity_id": _WORD,
        "event_payload": ref("EventPayload"),
        "event_source": text(512, least=1, examples=["ORDER"]),
        "event_type": text(512, least=1, examples=["FAULT"]),
    },
    {"entity_name": text(512), "id": {}},
)
PAYLOAD = given(
    {"operation": text(512, least=1, examples=["CREATE"])},
    {
        "base64_encoded_fault_json": text(),
        "base64_encoded_payload_json": text(),
        "entity_id": text(512),
        "key_attributes": {"type": "object"},
    },
)

SCHEMAS: dict[str, Json] = {
    "NewHub": NEW_HUB,
    "Hub": HUB,
    "RegisteredHub": REGISTERED_HUB,
    "Callback": CALLBACK,
    "RotatedSecret": ROTATED,
    "WebPushSubscription": WEB_PUSH,
    "NewDevice": NEW_DEVICE,
    "Device": DEVICE,
    "ListenerEvent": HEARD,
    "ListenerEventShown": HEARD_SHOWN,
    "NewSubscription": NEW_SUBSCRIPTION,
    "Subscription": SUBSCRIPTION,
    "Notifications": NOTIFICATIONS,
    "NotificationCode": NOTIFICATION_CODE,
    "OrderEvent": ORDER_EVENT,
    "Order": ORDER,
    "Cause": CAUSE,
    "CollectedEvent": COLLECTED,
    "EventPayload": PAYLOAD,
}

HUB_EXAMPLE = {
    "callback": "https://in.listener.com",
    "query": "eventType=CommunicationMessageUpdateNotification",
}
HEARD_EXAMPLE = {
    "eventId": "e-4711",
    "eventDate": MOMENT,
    "eventType": HEARD_TYPES[0],
    "event": {"serviceOrder": {"id": "o-17", "state": "completed"}},
}
SUBSCRIPTION_EXAMPLE = {
    "client_id": "shop",
    "event_type_ids": ["CommunicationMessageUpdateNotification"],
}
COLLECTED_EXAMPLE = {
    "entity_id": "order-4711",
    "event_payload": {"operation": "CREATE", "key_attributes": {"correlationId": "c-1"}},
    "event_source": "ORDER",
    "event_type": "FAULT",
}
DEVICE_EXAMPLE = {"platform": "ntfy", "token": "ann-phone", "locale": "sv"}
