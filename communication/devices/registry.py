"""Which devices push reaches an app's users on."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Connection,
    Row,
    and_,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from communication.bulk import among
from communication.clock import now
from communication.devices.device_model import DEVICE
from communication.errors import Conflict, NotFound
from communication.model import MESSAGE, RECEIVER
from communication.wire.device import NewDevice

MOST_DEVICES = 20
"""Of one user. Reinstalled apps leave devices behind that no service calls gone until a send."""

_OF_USER = and_(
    DEVICE.c.tenant == bindparam("of_tenant"), DEVICE.c.app_user_id == bindparam("of_user")
)
_OF_ID = and_(_OF_USER, DEVICE.c.id == bindparam("of_id"))
_OF_TOKEN = and_(
    DEVICE.c.tenant == bindparam("of_tenant"), DEVICE.c.fingerprint == bindparam("of_token")
)
_NEWEST_FIRST = (DEVICE.c.registered_at.desc(), DEVICE.c.key.desc())
_LIST = select(DEVICE).where(_OF_USER).order_by(*_NEWEST_FIRST)
_FIND = select(DEVICE).where(_OF_ID)
_DELETE = delete(DEVICE).where(_OF_ID)
_AFFECTED = (
    select(DEVICE.c.key, DEVICE.c.app_user_id, DEVICE.c.id, DEVICE.c.fingerprint)
    .where(or_(_OF_USER, _OF_TOKEN))
    .order_by(DEVICE.c.key)
    .with_for_update()
)
_LOCK = select(func.pg_advisory_xact_lock(bindparam("number")))


def register(
    connection: Connection, tenant: str, app_user_id: str, device_id: str, device: NewDevice
) -> tuple[Row[Any], bool]:
    """Register a user's device, anew or again: its row, and whether it is a new one.

    A token that another device has, of this user or another, is that device's no more:
    whoever used the app there before must not be told what is for this user. Of a user
    with MOST_DEVICES the one that was registered longest ago makes way. Conflict where
    another token is registered for the same id at the same time.
    """
    _one_at_a_time(connection, device)
    asked = {"of_tenant": tenant, "of_user": app_user_id, "of_token": device.fingerprint}
    affected = {row.key: row for row in connection.execute(_AFFECTED, asked)}
    own = [row for row in affected.values() if row.app_user_id == app_user_id]
    same = next((row.key for row in own if row.id == device_id), None)
    others = {row.key for row in affected.values() if row.fingerprint == device.fingerprint}
    _forget(connection, others - {same})
    if same is not None:
        return _change(connection, same, device), False
    _make_way(connection, tenant, app_user_id)
    return _add(connection, tenant, app_user_id, device_id, device), True


def list_devices(connection: Connection, tenant: str, app_user_id: str) -> Sequence[Row[Any]]:
    """A user's devices, the one registered last first."""
    return connection.execute(_LIST, {"of_tenant": tenant, "of_user": app_user_id}).all()


def find_device(connection: Connection, tenant: str, app_user_id: str, device_id: str) -> Row[Any]:
    """A user's device by its id. NotFound if there is none."""
    row = connection.execute(_FIND, _named(tenant, app_user_id, device_id)).one_or_none()
    if row is None:
        raise NotFound(f"this app user has no device {device_id!r}")
    return row


def unregister(connection: Connection, tenant: str, app_user_id: str, device_id: str) -> None:
    """Forget a user's device. NotFound if there is none."""
    if not connection.execute(_DELETE, _named(tenant, app_user_id, device_id)).rowcount:
        raise NotFound(f"this app user has no device {device_id!r}")


def unregister_gone(connection: Connection, key: int, registered_at: datetime) -> bool:
    """Forget what its push service calls gone; False if it has been registered again since."""
    gone = delete(DEVICE).where(DEVICE.c.key == key, DEVICE.c.registered_at == registered_at)
    return bool(connection.execute(gone).rowcount)


def devices_of(
    connection: Connection, receiver_keys: Collection[int]
) -> Mapping[int, list[Row[Any]]]:
    """The devices of messages' receivers by the receiver's key, those registered last first."""
    rows = connection.execute(
        select(RECEIVER.c.key.label("receiver_key"), *DEVICE.c)
        .join(MESSAGE, MESSAGE.c.key == RECEIVER.c.message_key)
        .join(
            DEVICE,
            and_(
                DEVICE.c.tenant == MESSAGE.c.tenant,
                DEVICE.c.app_user_id == RECEIVER.c.app_user_id,
            ),
        )
        .where(among(connection, RECEIVER.c.key, receiver_keys))
        .order_by(*_NEWEST_FIRST)
    )
    found: dict[int, list[Row[Any]]] = defaultdict(list)
    for row in rows:
        found[row.receiver_key].append(row)
    return found


def _one_at_a_time(connection: Connection, device: NewDevice) -> None:
    """Two requests with one token wait for each other; on SQLite all writers do."""
    if connection.dialect.name == "postgresql":
        number = int.from_bytes(bytes.fromhex(device.fingerprint)[:8], signed=True)
        connection.execute(_LOCK, {"number": number})


def _make_way(connection: Connection, tenant: str, app_user_id: str) -> None:
    rows = list_devices(connection, tenant, app_user_id)
    _forget(connection, {row.key for row in rows[MOST_DEVICES - 1 :]})


def _forget(connection: Connection, keys: Collection[int]) -> None:
    if keys:
        connection.execute(delete(DEVICE).where(among(connection, DEVICE.c.key, keys)))


def _change(connection: Connection, key: int, device: NewDevice) -> Row[Any]:
    changed = update(DEVICE).where(DEVICE.c.key == key).returning(*DEVICE.c)
    return connection.execute(changed, _values(device)).one()


def _add(
    connection: Connection, tenant: str, app_user_id: str, device_id: str, device: NewDevice
) -> Row[Any]:
    values = _values(device)
    named = {"tenant": tenant, "app_user_id": app_user_id, "id": device_id}
    row = {**named, **values, "created_at": values["registered_at"]}
    try:
        return connection.execute(insert(DEVICE).returning(*DEVICE.c), row).one()
    except IntegrityError as error:
        raise Conflict("this device is being registered by another request; try again") from error


def _values(device: NewDevice) -> dict[str, Any]:
    return {
        "platform": device.platform,
        "token": device.token,
        "keys": device.keys,
        "fingerprint": device.fingerprint,
        "locale": device.locale,
        "registered_at": now(),
    }


def _named(tenant: str, app_user_id: str, device_id: str) -> dict[str, str]:
    return {"of_tenant": tenant, "of_user": app_user_id, "of_id": device_id}
