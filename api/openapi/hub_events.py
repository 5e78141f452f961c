"""What a hub's listener is sent (seed 004; docs/hub.md)."""

from api.openapi import examples
from api.openapi.pieces import (
    Json,
    answer,
    body,
    items,
    moment,
    one_of,
    parameter,
    record,
    ref,
    text,
)
from communication.events.told import CREATION, DELETION, DELIVERY, UPDATE

_HEAD = {"eventTime": moment(), "eventId": {"type": "string"}}
_MESSAGE = ref("CommunicationMessage")
_DELIVERY = record({"id": {"type": "string"}, "state": {"type": "string"}}, {})
HUB_EVENTS: dict[str, Json] = {
    "CreationEvent": record(
        {
            "eventType": one_of(CREATION),
            **_HEAD,
            "event": record({"CommunicationMessage": items(_MESSAGE)}, {}),
        },
        {},
    ),
    "ChangeEvent": record(
        {"eventType": one_of(UPDATE, DELETION), **_HEAD, "CommunicationMessage": _MESSAGE}, {}
    ),
    "DeliveryEvent": record(
        {
            "eventType": one_of(DELIVERY),
            **_HEAD,
            "CommunicationMessage": _MESSAGE,
            "delivery": _DELIVERY,
        },
        {},
    ),
}
_SIGNATURE = [
    parameter("webhook-id", "header", text(least=1), "The same at every try.", required=True),
    parameter("webhook-timestamp", "header", text(pattern="^[0-9]+$"), "Seconds since 1970.",
              required=True),
    parameter("webhook-signature", "header", text(pattern="^v1,"),
              "Of both and the body (Standard Webhooks).", required=True),
]  # fmt: skip
_EVENT: Json = {
    "anyOf": [*(ref(name) for name in HUB_EVENTS), ref("ListenerEvent"), ref("StoredEvent")]
}
_POST: Json = {
    "summary": "An event that the hub asked for",
    "security": [],
    "parameters": _SIGNATURE,
    "requestBody": body(
        _EVENT, ("creation", examples.CREATION_EXAMPLE), ("update", examples.UPDATE_EXAMPLE)
    ),
    "responses": {
        "2XX": answer("It is taken."),
        "410": answer("The hub is removed."),
        "4XX": answer("It is given up; 408 and 429 have it tried again."),
        "5XX": answer("It is tried again, as after a redirect, or no answer in time."),
    },
}
HUB_CALLBACKS: Json = {"event": {"{$request.body#/callback}": {"post": _POST}}}
