"""A channel of many providers: each host that clients name is spared by itself."""

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

from channels.base import Channel, Outbound, Receiver

MOST = 500
"""Hosts that are remembered, those that were asked last: clients may name any number."""


class CaredByHost:
    """Sends through what is made for the message's host. Shared by threads.

    It never rests as a whole: clients could make a host of their own fail on purpose.
    """

    def __init__(
        self,
        channel: Channel,
        host_of: Callable[[Outbound], str],
        care: Callable[[str], Channel],
    ) -> None:
        """`care` makes the channel for a host: the same, with a breaker and a pace of its own."""
        self.concurrency = channel.concurrency
        self._channel = channel
        self._host_of = host_of
        self._care = care
        self._lock = Lock()
        self._hosts: OrderedDict[str, Channel] = OrderedDict()

    @property
    def provider(self) -> str:
        """The channel's."""
        return self._channel.provider

    def address(self, receiver: Receiver) -> str:
        """The channel's."""
        return self._channel.address(receiver)

    def send(self, outbound: Outbound) -> str:
        """The channel's reference. PutOff if the host was not asked at all."""
        return self._cared_for(self._host_of(outbound)).send(outbound)

    def close(self) -> None:
        """Close the channel."""
        self._channel.close()

    def _cared_for(self, host: str) -> Channel:
        with self._lock:
            known = self._hosts.get(host)
            if known is None:
                known = self._hosts[host] = self._care(host)
                if len(self._hosts) > MOST:
                    self._hosts.popitem(last=False)
            self._hosts.move_to_end(host)
            return known
