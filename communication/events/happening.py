"""What happened, as thin rows written in the transaction of what they tell of."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection

from communication.bulk import insert_rows
from communication.events.event_model import STAGED_EVENT
from communication.ids import new_id


class Kind(StrEnum):
    """Neutral kinds; each contract has names of its own for them."""

    CREATED = "created"  # a message was stored
    CHANGED = "changed"  # an attribute or the status of a message
    DELETED = "deleted"  # a message
    ENDED = "ended"  # one delivery reached its final state
    CONTRADICTED = "contradicted"  # a receipt differs from the final state, which stays
    HEARD = "heard"  # something was posted to the listener (seed 000)
    COLLECTED = "collected"  # something came into the Event Collector (seed 003)


@dataclass(frozen=True, kw_only=True)
class Happening:
    """One event to record; its id is unique for ever.

    `changed`: the changed attributes' new values, by wire name. A changed message's status
    and sendTimeComplete are always among them, so that a later one is not told too early.

    HEARD and COLLECTED alone have a `type`, as their contract names it, and a `payload`: the
    JSON body that is told to others as it is.
    """

    kind: Kind
    tenant: str
    at: datetime
    message_key: int | None = None
    delivery_key: int | None = None
    changed: dict[str, Any] | None = None
    type: str | None = None
    payload: dict[str, Any] | None = None
    id: str = field(default_factory=new_id)


def record(connection: Connection, happenings: Sequence[Happening]) -> None:
    """Write events; they are told if and only if the transaction is committed.

    They have no position yet, and nobody reads them before the relay gives them one.
    """
    insert_rows(connection, STAGED_EVENT, [vars(one) for one in happenings])
