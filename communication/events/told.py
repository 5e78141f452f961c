"""What others are told, in the shapes of their contracts (docs/hub.md)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Connection

CREATION = "CommunicationMessageCreationNotification"
UPDATE = "CommunicationMessageUpdateNotification"
DELETION = "CommunicationMessageDeletionNotification"
DELIVERY = "CommunicationMessageDeliveryNotification"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One event as a hub gets it. `body`: the whole JSON of seed 004, or what was heard as it was.

    `position` is the order of events, of all tenants together; `id` is unique for ever.
    """

    position: int
    id: str
    tenant: str
    type: str
    at: datetime
    body: Mapping[str, Any]
    message_key: int | None
    delivery_key: int | None


class Sink(Protocol):
    """Someone to be told. Shared by threads; keeps nothing between calls."""

    def wants(self, connection: Connection) -> Mapping[str, set[str]]:
        """The event types that it wants, by tenant; asked often, so a short look must do.

        Nothing is built for whom nobody listens.
        """
        ...

    def put(self, connection: Connection, told: Sequence[Told]) -> None:
        """Keep these to be handed on, in the transaction that counts them as told.

        They come in order of position, of all tenants, and may be of types that only other
        sinks want. A batch that could not be counted comes again: what was put then counts
        once. Called with locks held: nothing slow, and nobody is called over the network
        without a timeout.
        """
        ...


def wanted_by(sinks: Sequence[Sink], connection: Connection) -> dict[str, set[str]]:
    """The event types that any sink wants, by tenant; empty if nobody listens."""
    wanted: dict[str, set[str]] = {}
    for sink in sinks:
        for tenant, types in sink.wants(connection).items():
            wanted[tenant] = wanted.get(tenant, set()) | types
    return {tenant: types for tenant, types in wanted.items() if types}
