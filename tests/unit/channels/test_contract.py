"""What the contract asks of channels, and what it leaves to their providers."""

from itertools import count

import pytest

from channels.addresses import address_of
from channels.base import Channel, Outbound, Receiver
from channels.testing import ChannelContract


class Numbering:
    """As most providers do, it gives each message that it takes a number of its own."""

    provider = "numbering://"
    concurrency = 4

    def __init__(self) -> None:
        self._numbers = count(1)

    def address(self, receiver: Receiver) -> str:
        return address_of(receiver, "email")

    def send(self, _outbound: Outbound) -> str:
        return str(next(self._numbers))

    def close(self) -> None:
        pass


class TestNumbering(ChannelContract):
    """A repeat may have a new reference."""

    @pytest.fixture
    def channel(self) -> Channel:
        return Numbering()
