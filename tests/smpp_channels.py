"""SMPP channels of tests, and the SMSC that they send to."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import pytest

from channels.base import Channel, Receipt
from channels.registry import open_channel
from channels.testing import addressed, environment
from communication.errors import DeliveryError
from tests.scripted_smsc import Smsc, running_smsc

Opened = Callable[..., Channel]
OnReceipt = Callable[[Receipt], "Future[None]"]


@pytest.fixture
def smsc() -> Iterator[Smsc]:
    with running_smsc() as running:
        yield running


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    """Opens channels, and closes them after the test."""
    channels: list[Channel] = []

    def open_one(
        url: str, *, send_timeout: float = 30.0, on_receipt: OnReceipt = recorded
    ) -> Channel:
        usual = environment(tmp_path, "sms", send_timeout=send_timeout)
        channels.append(open_channel(url, replace(usual, on_receipt=on_receipt)))
        return channels[-1]

    yield open_one
    for channel in channels:
        channel.close()


@pytest.fixture
def heard() -> list[Receipt]:
    """What `record` was told."""
    return []


@pytest.fixture
def record(heard: list[Receipt]) -> OnReceipt:
    """Keeps receipts, each committed at once."""

    def keep(receipt: Receipt) -> "Future[None]":
        heard.append(receipt)
        return recorded(receipt)

    return keep


def recorded(_receipt: Receipt) -> "Future[None]":
    """As if it had been committed at once."""
    done: Future[None] = Future()
    done.set_result(None)
    return done


def url(smsc: Smsc, query: str = "", scheme: str = "smpp") -> str:
    return f"{scheme}://tidings:secret@127.0.0.1:{smsc.port}{query}"


def failure(channel: Channel, **changes: object) -> DeliveryError:
    """What came of a send that must fail."""
    with pytest.raises(DeliveryError) as caught:
        channel.send(addressed(channel, **changes))
    return caught.value
