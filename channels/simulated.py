"""Receivers who are nobody: what becomes of a message to them is settled beforehand.

Their fixed addresses and numbers are GOV.UK Notify's and ours (docs/simulated.md). No provider
hears of them, whatever channel is set.
"""

import re
import threading
from enum import Enum

from channels.addresses import address_of
from channels.base import Channel, Outbound, Receiver, awaits_receipt
from channels.health.provider import resting
from channels.identifiers import plain
from communication.errors import PermanentDeliveryError, TransientDeliveryError


class Fate(Enum):
    """What becomes of a message to a simulated receiver."""

    DELIVERED = "delivered"
    PERMANENT_FAILURE = "permanent failure"
    TEMPORARY_FAILURE = "temporary failure"


_SMOKE_TESTS = re.compile(
    r"simulate-delivered(-[23])?@notifications\.service\.gov\.uk", re.IGNORECASE
)
_NUMBERS = {
    "+447700900000": Fate.DELIVERED,
    "+447700900111": Fate.DELIVERED,
    "+447700900222": Fate.DELIVERED,
    "+447700900333": Fate.DELIVERED,
    "+447700900002": Fate.PERMANENT_FAILURE,
    "+447700900003": Fate.TEMPORARY_FAILURE,
}
_MAILBOXES = {
    "delivered": Fate.DELIVERED,
    "perm-fail": Fate.PERMANENT_FAILURE,
    "temp-fail": Fate.TEMPORARY_FAILURE,
}
_DOMAINS = ("@simulator.test", "@simulator.notify")
"""RFC 6761 keeps the first from ever being anybody's; the second is GOV.UK Notify's."""


def fate_of(address: str) -> Fate | None:
    """What becomes of a message to this address, number or app user; None: it is somebody's.

    Numbers are in E.164. `delivered+anything@simulator.test` is as good as without the tag.
    """
    if address in _NUMBERS:
        return _NUMBERS[address]
    lower = address.lower()
    if lower.endswith(_DOMAINS):
        return _MAILBOXES.get(lower.partition("@")[0].partition("+")[0])
    return Fate.DELIVERED if _SMOKE_TESTS.fullmatch(address) else None


class Simulating:
    """A channel that is never asked to reach simulated receivers."""

    PROVIDER = "simulated://"

    def __init__(self, channel: Channel, medium: str) -> None:
        self.concurrency = channel.concurrency
        self._channel = channel
        self._medium = medium
        self._asked = threading.local()

    @property
    def provider(self) -> str:
        """`simulated://` if this thread sent to a simulated receiver last, else the channel's."""
        simulated = getattr(self._asked, "simulated", False)
        return self.PROVIDER if simulated else self._channel.provider

    @property
    def awaits_receipt(self) -> bool:
        """Whether the channel was asked, and tells later what became of the message."""
        return not getattr(self._asked, "simulated", False) and awaits_receipt(self._channel)

    def resting(self) -> float:
        """Seconds for which the channel is not to be asked; simulated receivers need not wait."""
        return resting(self._channel)

    def needs_nobody(self, receiver: Receiver) -> bool:
        """Whether the receiver is simulated, so that no provider is asked."""
        given = _given(receiver, self._medium)
        return given is not None and fate_of(given) is not None

    def address(self, receiver: Receiver) -> str:
        """Where the receiver is reached."""
        self._asked.simulated = False
        if self.needs_nobody(receiver):
            self._asked.simulated = True
            return address_of(receiver, self._medium)
        return self._channel.address(receiver)

    def send(self, outbound: Outbound) -> str:
        """The channel's own reference, or what becomes of it by the address."""
        fate = fate_of(outbound.address)
        self._asked.simulated = fate is not None
        if fate is None:
            return self._channel.send(outbound)
        if fate is Fate.PERMANENT_FAILURE:
            raise PermanentDeliveryError("simulated permanent failure")
        if fate is Fate.TEMPORARY_FAILURE:
            raise TransientDeliveryError("simulated temporary failure")
        return f"simulated-{plain(outbound.delivery_id)}"

    def close(self) -> None:
        """Close the channel."""
        self._channel.close()


def _given(receiver: Receiver, medium: str) -> str | None:
    given = {"email": receiver.email, "sms": receiver.phone, "push": receiver.app_user_id}
    return given[medium]
