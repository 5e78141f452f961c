"""Requests and answers as they look."""

from typing import Any

from api.openapi.pieces import MOMENT

Example = dict[str, Any]

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
HUB_EXAMPLE = {
    "callback": "https://in.listener.com",
    "query": "eventType=CommunicationMessageUpdateNotification",
}
HEARD_EXAMPLE = {
    "eventId": "e-4711",
    "eventDate": MOMENT,
    "eventType": "ServiceOrderStateChangeNotification",
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
DELIVERY_EXAMPLE = {
    "id": "01a1fe6294d47064bcf66d8761223b2c-1-0",
    "receiver": {"phoneNumber": "+46701234567"},
    "send": 1,
    "state": "delivered",
    "attempts": 1,
    "reference": "SM4711",
    "segments": 1,
    "createdAt": MOMENT,
    "endedAt": MOMENT,
    "orderPath": "/api/2.3.1/orders/01a1fe6294d47064bcf66d8761223b2c-1-0",
}
_HUB_ID = "01a1fe63-0b9e-7d55-9c53-0b3f3b2f5f61"
SHOWN_HUB_EXAMPLE = {"id": _HUB_ID, **HUB_EXAMPLE, "state": "active"}
REGISTERED_HUB_EXAMPLE = {
    "id": _HUB_ID,
    **HUB_EXAMPLE,
    "secret": "whsec_cGxlYXNlIGtlZXAgdGhpcyB0byB5b3Vyc2VsZg==",
}
ROTATED_EXAMPLE = {
    "id": _HUB_ID,
    "secret": "whsec_YW5vdGhlciBvbmUgdG8ga2VlcCB0byB5b3Vyc2Vs",
    "oldSecretUntil": "2026-11-22T08:00:00.000Z",
}
CALLBACK_EXAMPLE = {
    "eventId": "01a1fdc2-7d3c-7cc1-8b1d-6a0e7c0a5f11",
    "eventType": "CommunicationMessageCreationNotification",
    "state": "failed",
    "status": 404,
    "reason": "HTTP 404",
    "createdAt": MOMENT,
    "endedAt": MOMENT,
    "attempts": [
        {"number": 1, "at": MOMENT, "outcome": "failed", "status": 404, "reason": "HTTP 404",
         "tookMs": 20}
    ],
}  # fmt: skip
SHOWN_DEVICE_EXAMPLE = {
    "id": "phone",
    "href": "http://127.0.0.1:8080/appUser/ann/device/phone",
    "appUserId": "ann",
    **DEVICE_EXAMPLE,
    "createdAt": MOMENT,
    "registeredAt": MOMENT,
}
_SUBSCRIPTION_ID = "01a1fe64-2c1d-70c8-a6a9-6f6cbd0f3a52"
SHOWN_SUBSCRIPTION_EXAMPLE = {
    "id": _SUBSCRIPTION_ID,
    "subscription": {
        **SUBSCRIPTION_EXAMPLE,
        "subscribed_by": "shop",
        "subscription_date": MOMENT,
        "notification_url": "http://127.0.0.1:8080/notification/v1/subscriptions/"
        f"{_SUBSCRIPTION_ID}/notifications",
        "notification_page_size": 100,
    },
    "subscription_status": {"last_request_date": None, "number_of_remaining_notifications": 0},
}
_MESSAGE_EVENT = {"eventTime": MOMENT, "eventId": "01a1fdc2-7d3c-7cc1-8b1d-6a0e7c0a5f11"}
UPDATE_EXAMPLE = {
    "eventType": "CommunicationMessageUpdateNotification",
    **_MESSAGE_EVENT,
    "CommunicationMessage": MESSAGE_EXAMPLE,
}
CREATION_EXAMPLE = {
    "eventType": "CommunicationMessageCreationNotification",
    **_MESSAGE_EVENT,
    "event": {"CommunicationMessage": [MESSAGE_EXAMPLE]},
}
NOTIFICATIONS_EXAMPLE = {"page": 0, "size": 100, "results": [UPDATE_EXAMPLE]}
DELETED_SUBSCRIPTION_EXAMPLE = {
    "code": "NOT000001",
    "description": f"subscription {_SUBSCRIPTION_ID} is deleted",
}
ORDER_EXAMPLE = {
    "path": "/api/2.3.1/orders/01a1fe6294d47064bcf66d8761223b2c-1-0",
    "accessId": "customer-17",
    "service": "sms",
    "operation": "SEND",
    "state": "DONE_SUCCESS",
    "message": "",
}
ORDER_EVENT_EXAMPLE = {"event": "01a1fe65-77aa-7b10-8f0e-3e1c3c4d5e6f", "order": ORDER_EXAMPLE}
STORED_EXAMPLE = {
    **COLLECTED_EXAMPLE,
    "event_payload": {
        "operation": "CREATE",
        "key_attributes": {"correlationId": "c-1"},
        "entity_id": "order-4711",
    },
    "id": "01a1fe66-0a0b-7c0d-8e0f-102030405060",
}
REPORT_EXAMPLE = {
    part: {"ok": True, "detail": "reachable"} for part in ("database", "broker", "redis")
}
NOTIFICATION_ERROR_EXAMPLE = {
    "code": "NOT000060",
    "description": f"there is no subscription '{_SUBSCRIPTION_ID}'",
}
CAUSE_EXAMPLE = {"cause": "since: is no event of this feed; give the last event that was read"}
RECEIPT_EXAMPLE = {"id": "SM4711", "status": "delivered"}
