"""The TMF681 v1 resource (seed 004), made of its rows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from urllib.parse import quote

from sqlalchemy import Row

from communication.clock import to_wire
from communication.wire.fields import present
from communication.wire.receiver import Addressee

_ORDER = (
    "id",
    "href",
    "type",
    "status",
    "priority",
    "subject",
    "content",
    "template",
    "locale",
    "description",
    "sendTime",
    "sendTimeComplete",
    "logFlag",
    "callbackFlag",
    "tryTimes",
    "CommunicationRequestCharacteristic",
    "attachment",
    "sender",
    "receiver",
    "deliverySummary",
)
"""As people read them: JSONB does not keep the order of names."""


@dataclass(slots=True, kw_only=True)
class Head:
    """The row of `communication_message`."""

    key: int
    uid: str
    tenant: str
    id: str
    channel: str
    priority: int
    status: str
    send: int
    send_time: datetime | None
    send_time_complete: datetime | None = None
    receiver_count: int
    open_count: int
    delivered_count: int = 0
    failed_count: int = 0
    cancelled_count: int = 0
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = None

    @classmethod
    def of(cls, row: Row[Any]) -> Self:
        """Of a row with exactly these columns."""
        return cls(**row._mapping)  # noqa: SLF001 - public in SQLAlchemy

    def columns(self) -> dict[str, Any]:
        """The row again."""
        return {name: getattr(self, name) for name in self.__slots__}


def message_href(public_url: str, message_id: str) -> str:
    """The one absolute address of a message, whatever path family was called."""
    return f"{public_url}/communicationMessage/v1/communicationMessage/{quote(message_id, safe='')}"


def represent(
    head: Head,
    document: Mapping[str, Any],
    receivers: Iterable[Addressee] | None,
    *,
    public_url: str,
) -> dict[str, Any]:
    """The whole resource. Without `receivers` (None) it has no `receiver`."""
    whole = {
        **document,
        "id": head.id,
        "href": message_href(public_url, head.id),
        "status": head.status,
        **present(
            sendTime=head.send_time and to_wire(head.send_time),
            sendTimeComplete=head.send_time_complete and to_wire(head.send_time_complete),
            receiver=None if receivers is None else [represent_receiver(one) for one in receivers],
            deliverySummary=summary(head) if head.send else None,
        ),
    }
    return {name: whole[name] for name in _ORDER if name in whole} | whole


def represent_receiver(receiver: Addressee) -> dict[str, Any]:
    """One receiver."""
    identity, name, email, phone, app_user_id, ip, attributes = receiver
    return present(
        id=identity,
        name=name,
        email=email,
        phoneNumber=phone,
        appUserId=app_user_id,
        ip=ip,
    ) | (attributes or {})


def summary(head: Head) -> dict[str, int]:
    """How the deliveries of the current send stand."""
    counts = {
        "pending": head.open_count,
        "delivered": head.delivered_count,
        "failed": head.failed_count,
        "cancelled": head.cancelled_count,
    }
    return {"total": sum(counts.values()), **counts}
