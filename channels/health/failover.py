"""A primary provider and its fallbacks, as one channel."""

import threading
from collections.abc import Sequence

from channels.base import Channel, Outbound, Receiver, awaits_receipt
from channels.errors import OutcomeUnknown, PutOff, RateReached
from channels.health.provider import resting
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
        return self._last.provider

    @property
    def awaits_receipt(self) -> bool:
        """Whether the provider that this thread asked last tells what became of the message."""
        return awaits_receipt(self._last)

    @property
    def _last(self) -> Channel:
        last: Channel = getattr(self._tried, "channel", self._channels[0])
        return last

    def address(self, receiver: Receiver) -> str:
        """Where the primary reaches this receiver."""
        self._tried.channel = self._channels[0]
        return self._channels[0].address(receiver)

    def send(self, outbound: Outbound) -> str:
        """The reference of the first that takes it; else the error of the last that was asked.

        A permanent refusal and an unknown outcome end it: the next one would repeat
        the refusal, or the message. PutOff if none was asked.
        """
        failed: TransientDeliveryError | None = None
        asked = self._channels[0]
        put_off: list[PutOff] = []
        for channel in self._channels:
            self._tried.channel = channel
            try:
                return channel.send(outbound)
            except OutcomeUnknown:
                raise
            except PutOff as error:
                put_off.append(error)
                if isinstance(error, RateReached):
                    break
            except TransientDeliveryError as error:
                failed, asked = error, channel
        self._tried.channel = asked
        raise failed or min(put_off, key=lambda error: error.retry_after or 0.0)

    def resting(self) -> float:
        """Seconds for which none of them is to be asked."""
        return min(resting(channel) for channel in self._channels)

    def close(self) -> None:
        """Close all of them."""
        for channel in self._channels:
            channel.close()
