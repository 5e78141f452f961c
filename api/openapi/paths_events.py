"""What can be called of the listener, notifications, order events, the Event Collector."""

from api.openapi import examples, patterns
from api.openapi.linking import link
from api.openapi.pieces import Json, answer, body, items, number, one_of, parameter, ref, text
from api.openapi.schemas import ID
from communication.lanes import CHANNELS

_UTF8 = "application/json;charset=utf-8"
_LISTENER = "/externalapi/listener/v1/listener"
_SUBSCRIPTIONS = "/notification/v1/subscriptions"
_MOST = 999_999_999
_NEW = ("Location",)
_HEARD = ("state", examples.HEARD_EXAMPLE)
_SUBSCRIPTION = ("updates", examples.SHOWN_SUBSCRIPTION_EXAMPLE)
_STORED = ("fault", examples.STORED_EXAMPLE)
_SUBSCRIPTION_ID = parameter("subscription_id", "path", ID, "Its id.")
_EVENT_ID = parameter(
    "event_id", "path", text(256, least=1, pattern=patterns.EVENT_ID_IN_PATH), "The event's id."
)
_SHOWN = parameter(
    "fields",
    "query",
    text(least=1, pattern=patterns.list_of(("eventDate", "eventId", "eventType", "event"))),
    "Attributes to give, by comma; eventId always comes.",
    example="eventId,eventType",
)
_TENANT = parameter(
    "X-TWC-Tenant", "header", text(128, least=1, pattern=patterns.VISIBLE_ASCII),
    "Whose event it is; with a token, its tenant.", required=True, example="default",
)  # fmt: skip
_CHANNEL = parameter("channel", "path", one_of(*CHANNELS), "What the gateway sends.")
_RECEIPT: Json = {
    "parameters": [_CHANNEL],
    "description": "In the gateway's own form (docs/receipts.md).",
    "security": [{"gateway": []}],
    "responses": {"200": answer("They are stored.", {"type": "object"}, ("stored", {}))},
}
_RECEIPT_BODY: Json = {
    "required": False,
    "content": {
        media_type: {"schema": {"type": "object"},
                     "examples": {"46elks": {"value": examples.RECEIPT_EXAMPLE}}}
        for media_type in ("application/json", "application/x-www-form-urlencoded")
    },
}  # fmt: skip
_SUBSCRIPTION_LINKS = {
    **link("get", f"{_SUBSCRIPTIONS}/{{subscription_id}}", subscription_id="$response.body#/id"),
    **link("delete", f"{_SUBSCRIPTIONS}/{{subscription_id}}", subscription_id="$response.body#/id"),
    **link("get", f"{_SUBSCRIPTIONS}/{{subscription_id}}/notifications",
           subscription_id="$response.body#/id"),
}  # fmt: skip
_EVENT_LINKS = link(
    "get",
    "/api/v1/events/{event_id}",
    **{"event_id": "$response.body#/id", "X-TWC-Tenant": "$request.header.X-TWC-Tenant"},
)
_REPORT = {
    "type": "object",
    "additionalProperties": {
        "type": "object",
        "properties": {"ok": {"type": "boolean"}, "detail": {"type": "string"}},
    },
}

PATHS: dict[str, dict[str, Json]] = {
    _LISTENER: {
        "post": {
            "summary": "Tell the listener of an event",
            "parameters": [_SHOWN],
            "requestBody": body(ref("ListenerEvent"), _HEARD),
            "responses": {
                "201": {
                    **answer(
                        "It is stored, once.", ref("ListenerEventShown"), _HEARD, media_type=_UTF8
                    ),
                    "links": link(
                        "get", f"{_LISTENER}/{{event_id}}", event_id="$response.body#/eventId"
                    ),
                }
            },
        }
    },
    f"{_LISTENER}/{{event_id}}": {
        "get": {
            "summary": "Read an event that was heard",
            "parameters": [_EVENT_ID, _SHOWN],
            "responses": {
                "200": answer("It.", ref("ListenerEventShown"), _HEARD, media_type=_UTF8)
            },
        }
    },
    _SUBSCRIPTIONS: {
        "post": {
            "summary": "Subscribe to notifications",
            "requestBody": body(ref("NewSubscription"), ("updates", examples.SUBSCRIPTION_EXAMPLE)),
            "responses": {
                "201": {
                    **answer(
                        "It hears of what happens from now on.",
                        ref("Subscription"),
                        _SUBSCRIPTION,
                        headers=_NEW,
                    ),
                    "links": _SUBSCRIPTION_LINKS,
                }
            },
        }
    },
    f"{_SUBSCRIPTIONS}/{{subscription_id}}": {
        "get": {
            "summary": "Read a subscription",
            "parameters": [_SUBSCRIPTION_ID],
            "responses": {"200": answer("With how many wait.", ref("Subscription"), _SUBSCRIPTION)},
        },
        "delete": {
            "summary": "Unsubscribe",
            "parameters": [_SUBSCRIPTION_ID],
            "responses": {
                "200": answer(
                    "Its notifications are gone.",
                    ref("NotificationCode"),
                    ("gone", examples.DELETED_SUBSCRIPTION_EXAMPLE),
                )
            },
        },
    },
    f"{_SUBSCRIPTIONS}/{{subscription_id}}/notifications": {
        "get": {
            "summary": "Take the oldest notifications",
            "description": "None of them is ever given again.",
            "parameters": [
                _SUBSCRIPTION_ID,
                parameter("page", "query", number(0, _MOST), "It is echoed."),
                parameter("size", "query", number(1, _MOST), "How many; 1000 at most."),
            ],
            "responses": {
                "200": answer(
                    "The oldest.", ref("Notifications"), ("one", examples.NOTIFICATIONS_EXAMPLE)
                )
            },
        }
    },
    "/api/2.3.1/orderevents": {
        "get": {
            "summary": "Follow how orders ended",
            "parameters": [
                parameter(
                    "since",
                    "query",
                    {"type": "string", "format": "uuid"},
                    "The last event that was read; one that is not in the feed is refused.",
                ),
                parameter(
                    "If-None-Match", "header", text(), "The ETag of the answer that was read last."
                ),
            ],
            "responses": {
                "200": {
                    **answer(
                        "What came strictly after it, newest last.",
                        items(ref("OrderEvent")),
                        ("one", [examples.ORDER_EVENT_EXAMPLE]),
                        headers=("ETag",),
                    ),
                    "links": link("get", "/api/2.3.1/orderevents", since="$response.body#/0/event"),
                },
                "304": answer("Nothing has come since the If-None-Match.", headers=("ETag",)),
            },
        }
    },
    "/api/2.3.1/orders/{order_id}": {
        "get": {
            "summary": "Read how an order is doing",
            "parameters": [
                parameter(
                    "order_id",
                    "path",
                    text(least=1, pattern=patterns.PATH_SEGMENT),
                    "Of an event's path.",
                )
            ],
            "responses": {
                "200": answer("The order.", ref("Order"), ("sms", examples.ORDER_EXAMPLE))
            },
        }
    },
    "/api/v1/events": {
        "post": {
            "summary": "Report an event",
            "parameters": [_TENANT],
            "requestBody": body(ref("CollectedEvent"), ("fault", examples.COLLECTED_EXAMPLE)),
            "responses": {
                "201": {
                    **answer("The stored event.", ref("StoredEvent"), _STORED, headers=_NEW),
                    "links": _EVENT_LINKS,
                }
            },
        }
    },
    "/api/v1/events/{event_id}": {
        "get": {
            "summary": "Read a reported event",
            "parameters": [
                parameter("event_id", "path", ID, "Its id."),
                _TENANT,
            ],
            "responses": {"200": answer("The event.", ref("StoredEvent"), _STORED)},
        }
    },
    "/receipt/{channel}": {
        "get": {"summary": "Take a gateway's receipts", **_RECEIPT},
        "post": {
            "summary": "Take a gateway's receipts",
            "requestBody": _RECEIPT_BODY,
            **_RECEIPT,
        },
    },
    "/health": {
        "get": {
            "summary": "Ask whether the process lives",
            "responses": {
                "200": answer("It does.", {"type": "object"}, ("alive", {"status": "alive"}))
            },
        }
    },
    "/ready": {
        "get": {
            "summary": "Ask whether requests can be served",
            "description": "From addresses of TIDINGS_OPERATIONS_ALLOW, or with a token.",
            "responses": {
                "200": answer("They can.", _REPORT, ("all", examples.REPORT_EXAMPLE)),
                "503": answer(
                    "The database can't be reached.", _REPORT, ("all", examples.REPORT_EXAMPLE)
                ),
            },
        }
    },
    "/metrics": {
        "get": {
            "summary": "Scrape metrics",
            "description": "From addresses of TIDINGS_OPERATIONS_ALLOW, or with a token.",
            "responses": {
                "200": answer("For Prometheus.", {"type": "string"}, media_type="text/plain")
            },
        }
    },
    "/openapi.json": {
        "get": {
            "summary": "Read this description",
            "responses": {"200": answer("OpenAPI 3.1.", {"type": "object"})},
        }
    },
    "/docs": {
        "get": {
            "summary": "Read it as a page",
            "responses": {"200": answer("A page.", {"type": "string"}, media_type="text/html")},
        }
    },
}
