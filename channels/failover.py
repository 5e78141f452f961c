"""A primary provider and its fallbacks, as one channel."""

import threading
from collections.abc import Sequence

from channels.base import Channel, Outbound, Receiver
from channels.errors import OutcomeUnknown
from communication.errors import TransientDeliveryError


def in_turn(channels: Sequence[Channel]) -> Channel:
    """One channel of several: each stands in for those before it."""
    return channels[0] if len(channels) == 1 else Failover(channels)


class Failover:
    """Tries the next channel when one fails in a way that may pass."""

    def __init__(self, channels: Sequence[Channel]) -> None:
        self._channels = tuple(channels)
        self._tried = threading.local()
        # Any of them may have to carry everything alone.
        self.concurrency = min(channel.concurrency for channel in channels)

    @property
    def provider(self) -> str:
        """The provider that this thread asked last; before the first send, the primary."""
        return getattr(self._tried, "provider", self._channels[0].provider)

    def address(self, receiver: Receiver) -> str:
        """Where the primary reaches this receiver."""
        self._tried.provider = self._channels[0].provider
        return self._channels[0].address(receiver)

    def send(self, outbound: Outbound) -> str:
        """The reference of the first that takes it; else the error of the last tried.

        A permanent refusal and an unknown outcome end it: the next one would repeat
        the refusal, or the message.
        """
        *before, last = self._channels
        for channel in before:
            self._tried.provider = channel.provider
            try:
                return channel.send(outbound)
            except OutcomeUnknown:
                raise
            except TransientDeliveryError:
                continue
        self._tried.provider = last.provider
        return last.send(outbound)

    def close(self) -> None:
        """Close all of them."""
        for channel in self._channels:
            channel.close()
