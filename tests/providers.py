"""Providers that do what a test says, watched as the workers watch theirs."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from redis import Redis

from channels.base import Channel, Outbound, Receiver
from channels.health.identity import Identity
from channels.health.provider import Care, cared_for
from channels.testing import environment, outbound
from communication.errors import (
    TransientDeliveryError,
)


@dataclass
class Provider:
    """A channel that does what the test says, and counts."""

    answer: Callable[[], str] = lambda: "reference"
    provider: str = "test://provider"
    concurrency: int = 8
    awaits_receipt: bool = False
    asked: list[Outbound] = field(default_factory=list)

    def address(self, receiver: Receiver) -> str:
        return str(receiver.phone)

    def send(self, outbound: Outbound) -> str:
        self.asked.append(outbound)
        return self.answer()

    def close(self) -> None:
        """Nothing."""


def fails() -> str:
    raise TransientDeliveryError("no")


def identity(provider: str) -> Identity:
    """Of a provider at which there is one account."""
    return Identity(medium="sms", provider=provider, name=provider, key=provider)


def cared(channel: Channel, care: Care | None = None, redis: Redis | None = None) -> Channel:
    usual = environment(Path(), "sms")
    known = identity(channel.provider)
    return cared_for(channel, care or Care(), replace(usual, redis=redis), known)


def send(channel: Channel, times: int = 1) -> list[str]:
    """The references, or the names of the errors."""
    results = []
    for _ in range(times):
        try:
            results.append(channel.send(outbound()))
        except Exception as error:  # noqa: BLE001 - it is what the test looks at
            results.append(type(error).__name__)
    return results
