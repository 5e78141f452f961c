"""Registered listeners (seed 004: hub)."""

import base64
import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from communication.clock import now
from communication.errors import Conflict, NotFound
from communication.events.event_model import EVENT_CURSOR, STAGED_EVENT
from communication.hubs.callbacks import drop_all
from communication.hubs.listener_model import HUB
from communication.ids import new_id

_OF_TENANT = HUB.c.tenant == bindparam("of_tenant")
_OF_ID = HUB.c.id == bindparam("of_id")
_LIST = select(HUB).where(_OF_TENANT).order_by(HUB.c.key)
_FIND = select(HUB).where(_OF_TENANT, _OF_ID)
_DELETE = delete(HUB).where(_OF_TENANT, _OF_ID).returning(HUB.c.key)
# What was written before, but has no position yet, will have the next ones.
_PRESENT_POSITION = (
    select(EVENT_CURSOR.c.position).where(EVENT_CURSOR.c.name == "sequenced").scalar_subquery()
    + select(func.count()).select_from(STAGED_EVENT).scalar_subquery()
)
_INSERT = insert(HUB).values(created_position=_PRESENT_POSITION).returning(*HUB.c)

_SECRET_BYTES = 32


class HubState(StrEnum):
    """Of a listener."""

    ACTIVE = "active"  # it is told of events
    DISABLED = "disabled"  # no callback succeeded for long; it hears nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class NewHub:
    """A listener to register. `api_version`: the contract that its events are shaped by."""

    callback: str
    query: str | None
    api_version: str

    @property
    def fingerprint(self) -> str:
        """The same for the same callback and query."""
        return hashlib.sha256(f"{self.callback}\n{self.query or ''}".encode()).hexdigest()


def new_secret() -> str:
    """A signing key as Standard Webhooks writes it: `whsec_` and 24 to 64 bytes in base64."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def register(connection: Connection, tenant: str, hub: NewHub) -> Row[Any]:
    """Store a listener, which hears what happens from now on.

    Conflict if this callback is registered with this query already.
    """
    values = {
        "id": new_id(),
        "tenant": tenant,
        "callback": hub.callback,
        "query": hub.query or "",
        "fingerprint": hub.fingerprint,
        "secret": new_secret(),
        "api_version": hub.api_version,
        "state": HubState.ACTIVE,
        "created_at": now(),
    }
    try:
        return connection.execute(_INSERT, values).one()
    except IntegrityError as error:
        raise Conflict("this callback is registered with this query already") from error


def list_hubs(connection: Connection, tenant: str) -> list[Row[Any]]:
    """A tenant's listeners, oldest first."""
    return list(connection.execute(_LIST, {"of_tenant": tenant}))


def find_hub(connection: Connection, tenant: str, hub_id: str) -> Row[Any]:
    """A listener by its id. NotFound if there is none."""
    row = connection.execute(_FIND, {"of_tenant": tenant, "of_id": hub_id}).one_or_none()
    if row is None:
        raise NotFound(f"there is no hub {hub_id!r}")
    return row


def unregister(connection: Connection, tenant: str, hub_id: str) -> None:
    """Forget a listener and all its callbacks. NotFound if there is none."""
    asked = {"of_tenant": tenant, "of_id": hub_id}
    key = connection.execute(_DELETE, asked).scalar_one_or_none()
    if key is None:
        raise NotFound(f"there is no hub {hub_id!r}")
    drop_all(connection, key)


def rotate_secret(
    connection: Connection, tenant: str, hub_id: str, *, until: datetime
) -> tuple[str, Row[Any]]:
    """A new secret; the one before signs beside it until then. NotFound if there is no hub."""
    secret = new_secret()
    rotated = connection.execute(
        update(HUB)
        .where(HUB.c.tenant == tenant, HUB.c.id == hub_id)
        .values(secret=secret, old_secret=HUB.c.secret, old_secret_until=until)
        .returning(*HUB.c)
    ).one_or_none()
    if rotated is None:
        raise NotFound(f"there is no hub {hub_id!r}")
    return secret, rotated


def signing_secrets(hub: Row[Any], moment: datetime) -> tuple[str, ...]:
    """The secrets in force at a moment, the newest first."""
    replaced = hub.old_secret is not None and moment < hub.old_secret_until
    return (hub.secret, hub.old_secret) if replaced else (hub.secret,)


def revive(connection: Connection, hub_key: int) -> None:
    """Tell a hub again, at once, however it failed before."""
    connection.execute(
        update(HUB)
        .where(HUB.c.key == hub_key)
        .values(state=HubState.ACTIVE, failing_since=None, resting_until=None)
    )
