"""What can be called of the listener, notifications, order events, the Event Collector."""

from api.openapi.pieces import NAME, Json, answer, body, items, number, parameter, ref, text
from api.openapi.schemas_events import COLLECTED_EXAMPLE, HEARD_EXAMPLE, SUBSCRIPTION_EXAMPLE

_UTF8 = "application/json;charset=utf-8"
_LISTENER = "/externalapi/listener/v1/listener"
_SUBSCRIPTIONS = "/notification/v1/subscriptions"
_SUBSCRIPTION_ID = parameter("subscription_id", "path", text(128, least=1), "Its id.")
_EVENT_ID = parameter("event_id", "path", text(128, least=1), "The event's id.")
_SHOWN = parameter(
    "fields", "query", text(), "Attributes to give, by comma.", example="eventId,eventType"
)
_TENANT = parameter(
    "X-TWC-Tenant", "header", text(128, least=1, pattern="^[!-~]{1,128}$"),
    "Whose event it is; with a token, its tenant.", required=True, example="default",
)  # fmt: skip
_CHANNEL = parameter("channel", "path", text(least=1), "sms, email or push.")
_KEY = parameter("key", "query", text(), "The secret of the gateway's URL.")
_RECEIPT: Json = {
    "parameters": [_CHANNEL, _KEY],
    "responses": {"200": answer("They are stored.", {"type": "object"})},
}
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
            "requestBody": body(ref("ListenerEvent"), ("state", HEARD_EXAMPLE)),
            "responses": {
                "201": answer(
                    "It is stored, once.",
                    ref("ListenerEventShown"),
                    ("state", HEARD_EXAMPLE),
                    media_type=_UTF8,
                )
            },
        }
    },
    f"{_LISTENER}/{{event_id}}": {
        "get": {
            "summary": "Read an event that was heard",
            "parameters": [_EVENT_ID, _SHOWN],
            "responses": {"200": answer("It.", ref("ListenerEventShown"), media_type=_UTF8)},
        }
    },
    _SUBSCRIPTIONS: {
        "post": {
            "summary": "Subscribe to notifications",
            "requestBody": body(ref("NewSubscription"), ("updates", SUBSCRIPTION_EXAMPLE)),
            "responses": {
                "201": answer(
                    "It hears of what happens from now on.",
                    ref("Subscription"),
                    headers={"Location": {"type": "string"}},
                )
            },
        }
    },
    f"{_SUBSCRIPTIONS}/{{subscription_id}}": {
        "get": {
            "summary": "Read a subscription",
            "parameters": [_SUBSCRIPTION_ID],
            "responses": {"200": answer("With how many wait.", ref("Subscription"))},
        },
        "delete": {
            "summary": "Unsubscribe",
            "parameters": [_SUBSCRIPTION_ID],
            "responses": {"200": answer("Its notifications are gone.", ref("NotificationCode"))},
        },
    },
    f"{_SUBSCRIPTIONS}/{{subscription_id}}/notifications": {
        "get": {
            "summary": "Take the oldest notifications",
            "description": "None of them is ever given again.",
            "parameters": [
                _SUBSCRIPTION_ID,
                parameter("page", "query", number(0, 999_999_999), "It is echoed."),
                parameter("size", "query", number(1, 999_999_999), "How many; 1000 at most."),
            ],
            "responses": {"200": answer("The oldest.", ref("Notifications"))},
        }
    },
    "/api/2.3.1/orderevents": {
        "get": {
            "summary": "Follow how orders ended",
            "parameters": [
                parameter("since", "query", text(least=1), "The last event that was read.")
            ],
            "responses": {
                "200": answer(
                    "What came strictly after it, newest last.",
                    items(ref("OrderEvent")),
                    headers={"ETag": {"type": "string"}},
                ),
                "304": answer("Nothing has come since the If-None-Match."),
            },
        }
    },
    "/api/2.3.1/orders/{order_id}": {
        "get": {
            "summary": "Read how an order is doing",
            "parameters": [parameter("order_id", "path", text(least=1), "Of an event's path.")],
            "responses": {"200": answer("The order.", ref("Order"))},
        }
    },
    "/api/v1/events": {
        "post": {
            "summary": "Report an event",
            "parameters": [_TENANT],
            "requestBody": body(ref("CollectedEvent"), ("fault", COLLECTED_EXAMPLE)),
            "responses": {
                "201": answer(
                    "The stored event.",
                    ref("CollectedEvent"),
                    headers={"Location": {"type": "string"}},
                )
            },
        }
    },
    "/api/v1/events/{event_id}": {
        "get": {
            "summary": "Read a reported event",
            "parameters": [
                parameter("event_id", "path", text(128, least=1, pattern=NAME), "Its id."),
                _TENANT,
            ],
            "responses": {"200": answer("The event.", ref("CollectedEvent"))},
        }
    },
    "/receipt/{channel}": {
        "get": {"summary": "Take a gateway's receipts", **_RECEIPT},
        "post": {"summary": "Take a gateway's receipts", **_RECEIPT},
    },
    "/health": {
        "get": {
            "summary": "Ask whether the process lives",
            "responses": {"200": answer("It does.", {"type": "object"})},
        }
    },
    "/ready": {
        "get": {
            "summary": "Ask whether requests can be served",
            "description": "From addresses of TIDINGS_OPERATIONS_ALLOW, or with a token.",
            "responses": {
                "200": answer("They can.", _REPORT),
                "503": answer("The database can't be reached.", _REPORT),
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
