"""What a provider tells, later, of a message that it took."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from communication.model import State


class ReceiptState(StrEnum):
    """Of a message at a provider: SMPP 3.4 §5.2.28's states serve for all."""

    DELIVERED = "delivered"
    EXPIRED = "expired"
    UNDELIVERABLE = "undeliverable"
    REJECTED = "rejected"
    DELETED = "deleted"
    UNKNOWN = "unknown"  # the provider itself does not know: nothing has ended
    ACCEPTED = "accepted"  # on its way


FINAL = {
    ReceiptState.DELIVERED: State.DELIVERED,
    ReceiptState.EXPIRED: State.FAILED,
    ReceiptState.UNDELIVERABLE: State.FAILED,
    ReceiptState.REJECTED: State.FAILED,
    ReceiptState.DELETED: State.FAILED,
}
"""How a delivery ends by them; the others end nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """One receipt. `provider` and `reference`: as they were when the message was sent."""

    provider: str
    reference: str
    state: ReceiptState
    reason: str | None = None
    at: datetime | None = None
    """When it became so, if the provider says."""

    @property
    def end(self) -> State | None:
        """The delivery's final state by it; None if it ends nothing."""
        return FINAL.get(self.state)

    @property
    def text(self) -> str:
        """State and reason, for people."""
        return f"{self.state}: {self.reason}" if self.reason else str(self.state)
