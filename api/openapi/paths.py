"""What can be called of TMF681 v1: messages and hubs (docs/tmf681.md, hub.md)."""

from api.openapi import examples, patterns
from api.openapi.filters import FILTERS
from api.openapi.headers import PAGED
from api.openapi.hub_events import HUB_CALLBACKS
from api.openapi.linking import link
from api.openapi.pieces import (
    Json,
    answer,
    body,
    items,
    number,
    one_of,
    parameter,
    record,
    ref,
    text,
)
from api.openapi.schemas import MESSAGE_ID
from communication.query.message_vocabulary import message_vocabulary

TMF_SERVERS = ["/", "/communicationMessage/v1", "/tmf-api/communicationManagement/v1"]
HUB_SERVERS = [*TMF_SERVERS, "/api"]
_NEW = ("Location",)
_MOST = 999_999_999
_SORTABLE = sorted(".".join(path) for path in message_vocabulary().sortable)
_EXAMPLE = ("sms", examples.MESSAGE_EXAMPLE)
_MESSAGE = answer("The whole resource.", ref("CommunicationMessage"), _EXAMPLE)
_NEW_MESSAGE = {
    **answer("The whole resource.", ref("CommunicationMessage"), _EXAMPLE, headers=_NEW),
    "links": {
        **link("get", "/communicationMessage/{message_id}", message_id="$response.body#/id"),
        **link("patch", "/communicationMessage/{message_id}", message_id="$response.body#/id"),
        **link("delete", "/communicationMessage/{message_id}", message_id="$response.body#/id"),
        **link("post", "/communicationMessage/{message_id}/send",
               message_id="$response.body#/id"),
        **link("get", "/communicationMessage/{message_id}/delivery",
               message_id="$response.body#/id"),
    },
}  # fmt: skip
_HUB_LINKS = {
    **link("get", "/hub/{hub_id}", hub_id="$response.body#/id"),
    **link("delete", "/hub/{hub_id}", hub_id="$response.body#/id"),
    **link("get", "/hub/{hub_id}/callback", hub_id="$response.body#/id"),
    **link("post", "/hub/{hub_id}/recover", hub_id="$response.body#/id"),
    **link("post", "/hub/{hub_id}/rotateSecret", hub_id="$response.body#/id"),
    **link("post", "/hub/{hub_id}/test", hub_id="$response.body#/id"),
}
_MESSAGE_PARAMETER = parameter("message_id", "path", MESSAGE_ID, "The message's id.")
_HUB_ID = parameter("hub_id", "path", text(pattern=patterns.PLAIN_ID), "The hub's id.")
_OFFSET = parameter("offset", "query", number(0, _MOST), "How many to leave out; 0 unless given.")
_LIMIT = parameter(
    "limit", "query", number(0, _MOST), "How many to give; 100 unless given, 1000 at most."
)
_FIELDS = parameter(
    "fields", "query", text(), "Attributes to give, by comma; id and href always come.",
    example="status,receiver.email",
)  # fmt: skip
_SORT = parameter(
    "sort", "query", text(pattern=patterns.list_of(_SORTABLE, sign="-?")),
    "Attributes by comma; `-` for descending.", example="-priority,sendTime",
)  # fmt: skip
_NOTHING = {"required": False, "content": {"application/json": {"schema": {"type": "object",
            "maxProperties": 0}, "examples": {"nothing": {"value": {}}}}}}  # fmt: skip


def _page(what: str, schema: Json, example: examples.Example) -> Json:
    shown = ("one", [example])
    return {
        "200": answer(f"All {what}.", items(schema), shown, headers=PAGED),
        "206": answer(f"A page of the {what}.", items(schema), shown, headers=PAGED),
    }


def _message_body(schema: str) -> Json:
    return body(ref(schema), ("email", examples.EMAIL), ("sms", examples.SMS))


PATHS: dict[str, dict[str, Json]] = {
    "/communicationMessage": {
        "get": {
            "summary": "Find messages",
            "description": "TMF630: any attribute, dotted, filters (`receiver.email=…`, "
            "`priority.lt=3`, `subject.regex=…`); see docs/filtering.md.",
            "parameters": [_FIELDS, _SORT, _OFFSET, _LIMIT, *FILTERS],
            "responses": _page("messages", ref("CommunicationMessage"), examples.MESSAGE_EXAMPLE),
        },
        "post": {
            "summary": "Store a message",
            "description": "Nothing is sent until somebody asks for it.",
            "requestBody": _message_body("NewCommunicationMessage"),
            "responses": {"201": _NEW_MESSAGE},
        },
    },
    "/communicationMessage/send": {
        "post": {
            "summary": "Send a new message",
            "description": "At its sendTime, or now.",
            "requestBody": _message_body("NewCommunicationMessage"),
            "responses": {"200": _NEW_MESSAGE},
        }
    },
    "/communicationMessage/{message_id}": {
        "get": {
            "summary": "Read a message",
            "parameters": [_MESSAGE_PARAMETER, _FIELDS],
            "responses": {"200": _MESSAGE},
        },
        "patch": {
            "summary": "Change a message, or cancel it",
            "parameters": [_MESSAGE_PARAMETER],
            "requestBody": body(
                ref("CommunicationMessagePatch"), ("cancel", {"status": "Cancelled"})
            ),
            "responses": {"201": _MESSAGE},
        },
        "put": {
            "summary": "Replace a message",
            "parameters": [_MESSAGE_PARAMETER],
            "requestBody": _message_body("CommunicationMessageReplacement"),
            "responses": {"201": _MESSAGE},
        },
        "delete": {
            "summary": "Delete a message",
            "description": "What is undelivered is cancelled.",
            "parameters": [_MESSAGE_PARAMETER],
            "responses": {"204": answer("It is gone.")},
        },
    },
    "/communicationMessage/{message_id}/send": {
        "post": {
            "summary": "Send a stored message",
            "parameters": [_MESSAGE_PARAMETER],
            "requestBody": _NOTHING,
            "responses": {"200": _MESSAGE},
        }
    },
    "/communicationMessage/{message_id}/delivery": {
        "get": {
            "summary": "See what became of each receiver",
            "parameters": [
                _MESSAGE_PARAMETER,
                parameter(
                    "state",
                    "query",
                    one_of("pending", "sending", "sent", "delivered", "failed", "cancelled"),
                    "Only those in this state.",
                ),
                parameter("send", "query", number(0, _MOST), "Only those of this send."),
                _OFFSET,
                _LIMIT,
            ],
            "responses": _page("deliveries", ref("Delivery"), examples.DELIVERY_EXAMPLE),
        }
    },
    "/hub": {
        "get": {
            "summary": "List hubs",
            "responses": {
                "200": answer(
                    "All of them.", items(ref("Hub")), ("one", [examples.SHOWN_HUB_EXAMPLE])
                )
            },
        },
        "post": {
            "summary": "Register a hub",
            "requestBody": body(ref("NewHub"), ("updates", examples.HUB_EXAMPLE)),
            "responses": {
                "201": {
                    **answer(
                        "It hears from now on. The secret is shown this once.",
                        ref("RegisteredHub"),
                        ("updates", examples.REGISTERED_HUB_EXAMPLE),
                        headers=_NEW,
                    ),
                    "links": _HUB_LINKS,
                }
            },
            "callbacks": HUB_CALLBACKS,
        },
    },
    "/hub/{hub_id}": {
        "get": {
            "summary": "Read a hub",
            "parameters": [_HUB_ID],
            "responses": {
                "200": answer(
                    "How it is doing.", ref("Hub"), ("updates", examples.SHOWN_HUB_EXAMPLE)
                )
            },
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
            "responses": _page("callbacks", ref("Callback"), examples.CALLBACK_EXAMPLE),
        }
    },
    "/hub/{hub_id}/recover": {
        "post": {
            "summary": "Send again what failed",
            "parameters": [_HUB_ID],
            "requestBody": body(ref("Recovery"), ("since", {"since": "2026-11-21T08:00:00Z"})),
            "responses": {
                "200": answer(
                    "How many are sent again.",
                    record({"recovered": number(0)}, {}),
                    ("some", {"recovered": 3}),
                )
            },
        }
    },
    "/hub/{hub_id}/rotateSecret": {
        "post": {
            "summary": "Give a hub a new secret",
            "parameters": [_HUB_ID],
            "requestBody": _NOTHING,
            "responses": {
                "200": answer(
                    "It is shown this once.",
                    ref("RotatedSecret"),
                    ("new", examples.ROTATED_EXAMPLE),
                )
            },
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
                    record({"eventId": {"type": "string"}}, {}),
                    ("event", {"eventId": "01a1fdc2-7d3c-7cc1-8b1d-6a0e7c0a5f11"}),
                )
            },
        }
    },
}
