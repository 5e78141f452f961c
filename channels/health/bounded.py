"""A channel among more threads than it may send in."""

import threading

from channels.base import Channel, Outbound, Receiver
from channels.errors import PutOff
from channels.health.provider import resting

_AGAIN = 1.0
"""Seconds after which it is looked whether there is room."""


class Bounded:
    """Sends as many at once as the channel is wide; others wait, `patience` seconds at most."""

    def __init__(self, channel: Channel, patience: float) -> None:
        self.concurrency = channel.concurrency
        self._channel = channel
        self._patience = patience
        self._slots = threading.BoundedSemaphore(channel.concurrency)

    @property
    def provider(self) -> str:
        """The channel's."""
        return self._channel.provider

    def resting(self) -> float:
        """The channel's."""
        return resting(self._channel)

    def address(self, receiver: Receiver) -> str:
        """The channel's."""
        return self._channel.address(receiver)

    def send(self, outbound: Outbound) -> str:
        """What the channel answers. PutOff if its turn does not come in time."""
        if not self._slots.acquire(timeout=self._patience):
            raise PutOff("other messages took all the time", retry_after=_AGAIN)
        try:
            return self._channel.send(outbound)
        finally:
            self._slots.release()

    def close(self) -> None:
        """Close the channel."""
        self._channel.close()
