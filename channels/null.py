"""`null://`: takes everything and sends nothing. For load tests."""

import random
import time
from typing import Self

from channels.addresses import address_of
from channels.base import Environment, Outbound, Receiver
from channels.identifiers import digest, plain
from communication.channel_url import ChannelUrl, Parameters
from communication.errors import PermanentDeliveryError, TransientDeliveryError

_CONCURRENCY = 64


class NullChannel:
    """Waits as long as a provider would and fails as often as it is told to.

    Transient failures are drawn anew at every try, for a real one is gone another time;
    permanent ones follow from the delivery id, for a real one stays: the same deliveries are
    refused in every run and at every repeat, so a test can say which.
    """

    provider = "null://"

    def __init__(
        self,
        medium: str,
        *,
        latency: float = 0.0,
        fail: float = 0.0,
        permanent: float = 0.0,
        concurrency: int = _CONCURRENCY,
    ) -> None:
        self.concurrency = concurrency
        self._medium = medium
        self._latency = latency
        self._fail = fail
        self._permanent = permanent

    @classmethod
    def open(cls, url: ChannelUrl, environment: Environment) -> Self:
        """From `null://?latency=50ms&fail=0.01&permanent=0.01&concurrency=64`."""
        url.refuse_place()
        parameters = Parameters(url)
        channel = cls(
            environment.medium,
            latency=parameters.duration("latency", 0.0),
            fail=parameters.share("fail", 0.0),
            permanent=parameters.share("permanent", 0.0),
            concurrency=parameters.count("concurrency", _CONCURRENCY),
        )
        parameters.end()
        if channel._latency >= environment.send_timeout:
            raise url.fault(f"latency must be below {environment.send_timeout:g}s, a send's time")
        return channel

    def address(self, receiver: Receiver) -> str:
        """The receiver's address for the medium."""
        return address_of(receiver, self._medium)

    def send(self, outbound: Outbound) -> str:
        """`null-` and the delivery id, or one of the failures that were asked for."""
        if self._latency:
            time.sleep(self._latency)
        if self._permanent and _lot(outbound.delivery_id) < self._permanent:
            raise PermanentDeliveryError("refused, as null:// was told to")
        if random.random() < self._fail:  # noqa: S311  # no secret hangs on it
            raise TransientDeliveryError("failed, as null:// was told to")
        return f"null-{plain(outbound.delivery_id)}"

    def close(self) -> None:
        """Nothing to let go of."""


def _lot(delivery_id: str) -> float:
    """A number from 0 to 1 that belongs to the id."""
    return int(digest(delivery_id, 6), 16) / 2**48
