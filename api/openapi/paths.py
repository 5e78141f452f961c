"""What can be called of TMF681 v1: messages, hubs, devices (docs/tmf681.md, hub.md, push.md)."""

from api.openapi.pieces import NAME, Json, answer, body, items, number, one_of, parameter, ref, text
from api.openapi.schemas import EMAIL, MESSAGE_EXAMPLE, SMS
from api.openapi.schemas_events import DEVICE_EXAMPLE, HUB_EXAMPLE

TMF_SERVERS = ["/", "/communicationMessage/v1", "/tmf-api/communicationManagement/v1"]
_LOCATION = {"Location": {"type": "string"}}
_PAGED = {
    "X-Total-Count": number(0),
    "X-Result-Count": number(0),
    "Link": {"type": "string"},
}
_MESSAGE = answer("The whole resource.", ref("CommunicationMessage"), ("sms", MESSAGE_EXAMPLE))
_NEW = {**_MESSAGE, "headers": answer("", headers=_LOCATION)["headers"]}
_MESSAGE_ID = parameter("message_id", "path", text(128, least=1), "The message's id.")
_HUB_ID = parameter("hub_id", "path", text(128, least=1, pattern=NAME), "The hub's id.")
_USER = parameter("app_user_id", "path", text(256, least=1), "The app's name for its user.")
_DEVICE = parameter("device_id", "path", text(128, least=1, pattern=NAME), "The device's id.")
_OFFSET = parameter("offset", "query", number(0), "How many to leave out.")
_LIMIT = parameter("limit", "query", number(0), "How many to give; 1000 at most.")
_FIELDS = parameter(
    "fields", "query", text(), "Attributes to give, by comma; id and href always come.",
    example="status,receiver.email",
)  # fmt: skip
_SORT = parameter("sort", "query", text(), "Attributes by comma; `-` for descending.",
                  example="-priority,sendTime")  # fmt: skip
_NOTHING = {"required": False, "content": {"application/json": {"schema": {"type": "object",
            "maxProperties": 0}}}}  # fmt: skip


def _page(what: str, schema: Json) -> Json:
    return {
        "200": answer(f"All {what}.", items(schema), headers=_PAGED),
        "206": answer(f"A page of the {what}.", items(schema), headers=_PAGED),
    }


def _example_of_message() -> Json:
    return body(ref("NewCommunicationMessage"), ("email", EMAIL), ("sms", SMS))


PATHS: dict[str, dict[str, Json]] = {
    "/communicationMessage": {
        "get": {
            "summary": "Find messages",
            "description": "TMF630: any attribute, dotted, filters (`receiver.email=…`, "
            "`priority.lt=3`, `subject.regex=…`); see docs/filtering.md.",
            "parameters": [_FIELDS, _SORT, _OFFSET, _LIMIT],
            "responses": _page("messages", ref("CommunicationMessage")),
        },
        "post": {
            "summary": "Store a message",
            "description": "Nothing is sent until somebody asks for it.",
            "requestBody": _example_of_message(),
            "responses": {"201": _NEW},
        },
    },
    "/communicationMessage/send": {
        "post": {
            "summary": "Send a new message",
            "description": "At its sendTime, or now.",
            "requestBody": _example_of_message(),
            "responses": {"200": _NEW},
        }
    },
    "/communicationMessage/{message_id}": {
        "get": {
            "summary": "Read a message",
            "parameters": [_MESSAGE_ID, _FIELDS],
            "responses": {"200": _MESSAGE},
        },
        "patch": {
            "summary": "Change a message, or cancel it",
            "parameters": [_MESSAGE_ID],
            "requestBody": body(
                ref("CommunicationMessagePatch"), ("cancel", {"status": "Cancelled"})
            ),
            "responses": {"201": _MESSAGE},
        },
        "put": {
            "summary": "Replace a message",
            "parameters": [_MESSAGE_ID],
            "requestBody": _example_of_message(),
            "responses": {"201": _MESSAGE},
        },
        "delete": {
            "summary": "Delete a message",
            "description": "What is undelivered is cancelled.",
            "parameters": [_MESSAGE_ID],
            "responses": {"204": answer("It is gone.")},
        },
    },
    "/communicationMessage/{message_id}/send": {
        "post": {
            "summary": "Send a stored message",
            "parameters": [_MESSAGE_ID],
            "requestBody": _NOTHING,
            "responses": {"200": _MESSAGE},
        }
    },
    "/communicationMessage/{message_id}/delivery": {
        "get": {
            "summary": "See what became of each receiver",
            "parameters": [
                _MESSAGE_ID,
                parameter(
                    "state",
                    "query",
                    one_of("pending", "sending", "sent", "delivered", "failed", "cancelled"),
                    "Only those in this state.",
                ),
                parameter("send", "query", number(0, 999_999_999), "Only those of this send."),
                _OFFSET,
                _LIMIT,
            ],
            "responses": _page("deliveries", ref("Delivery")),
        }
    },
    "/hub": {
        "get": {
            "summary": "List hubs",
            "responses": {"200": answer("All of them.", items(ref("Hub")))},
        },
        "post": {
            "summary": "Register a hub",
            "requestBody": body(ref("NewHub"), ("all", HUB_EXAMPLE)),
            "responses": {
                "201": answer(
                    "It hears from now on. The secret is shown this once.",
                    ref("RegisteredHub"),
                    headers=_LOCATION,
                )
            },
        },
    },
    "/hub/{hub_id}": {
        "get": {
            "summary": "Read a hub",
            "parameters": [_HUB_ID],
            "responses": {"200": answer("How it is doing.", ref("Hub"))},
        },
        "delete": {
            "summary": "Remove a hub",
            "parameters": [_HUB_ID],
            "responses": {"204": answer("It hears no more.")},
        },
    },
    "/hub/{hub_id}/callback": {
        "get": {
            "summary": "See what a hub was told",
            "parameters": [
                _HUB_ID,
                parameter(
                    "state", "query", one_of("pending", "delivered", "failed"), "Only these."
                ),
                _OFFSET,
                _LIMIT,
            ],
            "responses": _page("callbacks", ref("Callback")),
        }
    },
    "/hub/{hub_id}/recover": {
        "post": {
            "summary": "Send again what failed",
            "parameters": [_HUB_ID],
            "requestBody": body(
                {
                    "type": "object",
                    "properties": {"since": {"type": "string", "format": "date-time"}},
                    "required": ["since"],
                },
                ("since", {"since": "2026-11-21T08:00:00Z"}),
            ),
            "responses": {
                "200": answer(
                    "How many are sent again.",
                    {
                        "type": "object",
                        "properties": {"recovered": number(0)},
                        "required": ["recovered"],
                    },
                )
            },
        }
    },
    "/hub/{hub_id}/rotateSecret": {
        "post": {
            "summary": "Give a hub a new secret",
            "parameters": [_HUB_ID],
            "requestBody": _NOTHING,
            "responses": {"200": answer("It is shown this once.", ref("RotatedSecret"))},
        }
    },
    "/hub/{hub_id}/test": {
        "post": {
            "summary": "Send a hub an example",
            "parameters": [_HUB_ID],
            "requestBody": _NOTHING,
            "responses": {
                "202": answer(
                    "It is on its way.",
                    {"type": "object", "properties": {"eventId": {"type": "string"}}},
                )
            },
        }
    },
    "/appUser/{app_user_id}/device": {
        "get": {
            "summary": "List an app user's devices",
            "parameters": [_USER],
            "responses": {"200": answer("The one registered last first.", items(ref("Device")))},
        }
    },
    "/appUser/{app_user_id}/device/{device_id}": {
        "get": {
            "summary": "Read a device",
            "parameters": [_USER, _DEVICE],
            "responses": {"200": answer("The device.", ref("Device"))},
        },
        "put": {
            "summary": "Register a device",
            "parameters": [_USER, _DEVICE],
            "requestBody": body(ref("NewDevice"), ("ntfy", DEVICE_EXAMPLE)),
            "responses": {
                "200": answer("It is registered again.", ref("Device")),
                "201": answer("It is a new one.", ref("Device"), headers=_LOCATION),
            },
        },
        "delete": {
            "summary": "Unregister a device",
            "parameters": [_USER, _DEVICE],
            "responses": {"204": answer("Push reaches it no more.")},
        },
    },
}
