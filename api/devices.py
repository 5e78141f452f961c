"""appUser/{id}/device: the devices that push reaches an app's users on (docs/push.md)."""

import re
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import quote, unquote

from falcon import Request, Response
from sqlalchemy import Row

from api.context import Context
from api.edge import caller_of
from communication.clock import to_wire
from communication.devices.registry import find_device, list_devices, register, unregister
from communication.encoding import to_json
from communication.errors import InvalidField, InvalidPathParameter, Refused
from communication.http.guard import Guard
from communication.wire.device import NewDevice, Platform, read_device
from communication.wire.fields import present

_ID = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._-]{1,128}")
_LONGEST_USER = 256
"""Characters: what a receiver's appUserId may have."""
_CREATED, _CHANGED, _GONE = 201, 200, 204


class Devices:
    """All devices of one app user."""

    scopes: ClassVar[Mapping[str, str]] = {"GET": "device:write"}

    def __init__(self, context: Context) -> None:
        self._context = context

    def on_get(self, req: Request, resp: Response, app_user_id: str) -> None:
        """200 with all of them, the one registered last first."""
        user = _checked_user(app_user_id)
        with self._context.store.read() as connection:
            rows = list_devices(connection, caller_of(req).tenant, user)
        resp.data = to_json([_represent(row, self._context) for row in rows])

    on_head = on_get


class OneDevice:
    """One device of one app user."""

    scopes: ClassVar[Mapping[str, str]] = dict.fromkeys(("GET", "PUT", "DELETE"), "device:write")

    def __init__(self, context: Context) -> None:
        self._context = context
        self._guard = Guard.of(context.settings.callback_allow)

    def on_get(self, req: Request, resp: Response, app_user_id: str, device_id: str) -> None:
        """200."""
        user, device = _checked_user(app_user_id), _checked_id(device_id)
        with self._context.store.read() as connection:
            row = find_device(connection, caller_of(req).tenant, user, device)
        resp.data = to_json(_represent(row, self._context))

    on_head = on_get

    def on_put(self, req: Request, resp: Response, app_user_id: str, device_id: str) -> None:
        """201 where it is new, 200 where it is registered again."""
        user, device = _checked_user(app_user_id), _checked_id(device_id)
        given = read_device(self._context.read_object(req))
        self._check_endpoint(given)
        with self._context.store.write() as connection:
            row, is_new = register(connection, caller_of(req).tenant, user, device, given)
        shown = _represent(row, self._context)
        resp.status = _CREATED if is_new else _CHANGED
        if is_new:
            resp.set_header("Location", _path(row))
        resp.data = to_json(shown)

    def on_delete(self, req: Request, resp: Response, app_user_id: str, device_id: str) -> None:
        """204; push reaches it no more."""
        user, device = _checked_user(app_user_id), _checked_id(device_id)
        with self._context.store.write() as connection:
            unregister(connection, caller_of(req).tenant, user, device)
        resp.status = _GONE

    def _check_endpoint(self, device: NewDevice) -> None:
        """Messages are posted there: it must not lead into the operator's own network."""
        if device.platform is not Platform.WEBPUSH:
            return
        try:
            self._guard.check(device.token)
        except Refused as error:
            raise InvalidField(error.reason, field="subscription.endpoint") from error


def _checked_user(segment: str) -> str:
    text = unquote(segment)
    if not text.strip() or len(text) > _LONGEST_USER or "\0" in text:
        raise InvalidPathParameter("no app user can have this id", field="appUserId")
    return text


def _checked_id(segment: str) -> str:
    text = unquote(segment)
    if not _ID.fullmatch(text):
        raise InvalidPathParameter(
            "a device's id has 1 to 128 letters, digits, '.', '_' and '-'", field="id"
        )
    return text


def _path(row: Row[Any]) -> str:
    return f"/appUser/{quote(row.app_user_id, safe='')}/device/{row.id}"


def _represent(row: Row[Any], context: Context) -> dict[str, Any]:
    web = row.platform == Platform.WEBPUSH
    return {
        "id": row.id,
        "href": context.settings.public_url + _path(row),
        "appUserId": row.app_user_id,
        "platform": row.platform,
        **present(
            token=None if web else row.token,
            subscription={"endpoint": row.token, "keys": row.keys} if web else None,
            locale=row.locale,
        ),
        "createdAt": to_wire(row.created_at),
        "registeredAt": to_wire(row.registered_at),
    }
