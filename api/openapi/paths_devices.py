"""What can be called about the devices that push reaches (docs/push.md)."""

from api.openapi import examples, patterns
from api.openapi.linking import link
from api.openapi.pieces import Json, answer, body, items, parameter, ref, text

_OF_DEVICE = {"app_user_id": "$response.body#/appUserId", "device_id": "$response.body#/id"}
_DEVICE_LINKS = {
    **link("get", "/appUser/{app_user_id}/device/{device_id}", **_OF_DEVICE),
    **link("delete", "/appUser/{app_user_id}/device/{device_id}", **_OF_DEVICE),
}
_NTFY = ("ntfy", examples.SHOWN_DEVICE_EXAMPLE)
_NEW = ("Location",)
_USER = parameter(
    "app_user_id", "path", text(256, least=1, pattern=patterns.PATH_SEGMENT),
    "The app's name for its user.",
)  # fmt: skip
_DEVICE = parameter("device_id", "path", text(pattern=patterns.DEVICE_ID), "The device's id.")

PATHS: dict[str, dict[str, Json]] = {
    "/appUser/{app_user_id}/device": {
        "get": {
            "summary": "List an app user's devices",
            "parameters": [_USER],
            "responses": {
                "200": answer(
                    "The one registered last first.",
                    items(ref("Device")),
                    ("one", [examples.SHOWN_DEVICE_EXAMPLE]),
                )
            },
        }
    },
    "/appUser/{app_user_id}/device/{device_id}": {
        "get": {
            "summary": "Read a device",
            "parameters": [_USER, _DEVICE],
            "responses": {"200": answer("The device.", ref("Device"), _NTFY)},
        },
        "put": {
            "summary": "Register a device",
            "parameters": [_USER, _DEVICE],
            "requestBody": body(ref("NewDevice"), ("ntfy", examples.DEVICE_EXAMPLE)),
            "responses": {
                "200": answer("It is registered again.", ref("Device"), _NTFY),
                "201": {
                    **answer("It is a new one.", ref("Device"), _NTFY, headers=_NEW),
                    "links": _DEVICE_LINKS,
                },
            },
        },
        "delete": {
            "summary": "Unregister a device",
            "parameters": [_USER, _DEVICE],
            "responses": {"204": answer("Push reaches it no more.")},
        },
    },
}
