"""A channel that does what a test says, and a runner of batches that sends by it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from channels.base import Outbound, Receiver
from communication.settings import Settings
from communication.store import Store
from worker.batch import BatchRunner
from worker.deliver import Deliverer


@dataclass
class Scripted:
    """A channel that does what the test says."""

    answer: Callable[[Outbound], str] = lambda outbound: f"sent {outbound.delivery_id}"
    provider: str = "scripted://"
    concurrency: int = 4
    sent: list[Outbound] = field(default_factory=list)
    closed: bool = False

    def address(self, receiver: Receiver) -> str:
        return str(receiver.email)

    def send(self, outbound: Outbound) -> str:
        self.sent.append(outbound)
        return self.answer(outbound)

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def channel() -> Scripted:
    return Scripted()


@pytest.fixture
def runner(store: Store, channel: Scripted) -> Iterator[BatchRunner]:
    settings = Settings(lease=3, retry_base=60)
    running = BatchRunner(store, settings, Deliverer(channel, settings))
    yield running
    running.close()


def raising(error: BaseException) -> Callable[[Outbound], str]:
    def answer(_outbound: Outbound) -> str:
        raise error

    return answer


@contextmanager
def under_way(runner: BatchRunner, channel: Scripted, keys: list[int]) -> Iterator[None]:
    """A batch that is being sent; nobody is answered before the end of the block."""
    hold = threading.Event()
    channel.answer = lambda _outbound: "x" if hold.wait(120) else ""
    batch = threading.Thread(target=runner.run, args=(keys, "relay"))
    batch.start()
    try:
        yield
    finally:
        hold.set()
        batch.join()
