"""Registered listeners (seed 004: hub)."""

import base64
import hashlib
import secrets
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, select
from sqlalchemy.exc import IntegrityError

from communication.clock import now
from communication.errors import Conflict, NotFound
from communication.ids import new_id
from communication.listener_model import HUB

_OF_TENANT = HUB.c.tenant == bindparam("of_tenant")
_OF_ID = HUB.c.id == bindparam("of_id")
_LIST = select(HUB).where(_OF_TENANT).order_by(HUB.c.key)
_FIND = select(HUB).where(_OF_TENANT, _OF_ID)
_DELETE = delete(HUB).where(_OF_TENANT, _OF_ID)

_SECRET_BYTES = 32


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
    """Store a listener. Conflict if this callback is registered with this query already."""
    values = {
        "id": new_id(),
        "tenant": tenant,
        "callback": hub.callback,
        "query": hub.query or "",
        "fingerprint": hub.fingerprint,
        "secret": new_secret(),
        "api_version": hub.api_version,
        "created_at": now(),
    }
    try:
        return connection.execute(insert(HUB).returning(*HUB.c), values).one()
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
    """Forget a listener. NotFound if there is none."""
    if not connection.execute(_DELETE, {"of_tenant": tenant, "of_id": hub_id}).rowcount:
        raise NotFound(f"there is no hub {hub_id!r}")
