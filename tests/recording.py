"""A provider that writes down, at once and for good, each message that it takes.

What it took survives the death of the worker, so that tests can count what was sent, and how
often. A message whose text is `WAIT 0.5` is answered after half a second, `DIE 0.5` takes the
worker with it after as long.
"""

import os
import signal
import time
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from channels.addresses import address_of
from channels.base import Environment, Outbound, Receiver
from communication.channel_url import ChannelUrl, Parameters

PLUG_IN = "[tidings.channels]\nrecording = tests.recording:RecordingChannel\n"


class RecordingChannel:
    """`recording:///path/of/the/record?latency=20ms&concurrency=16`.

    It takes a message first and answers after the latency: whoever dies meanwhile repeats it.
    """

    provider = "recording://"

    def __init__(self, record: Path, medium: str, *, latency: float, concurrency: int) -> None:
        self.concurrency = concurrency
        self._medium = medium
        self._latency = latency
        self._record = os.open(record, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    @classmethod
    def open(cls, url: ChannelUrl, environment: Environment) -> Self:
        parameters = Parameters(url)
        return cls(
            Path(url.path),
            environment.medium,
            latency=parameters.duration("latency", 0.0),
            concurrency=parameters.count("concurrency", 16),
        )

    def address(self, receiver: Receiver) -> str:
        return address_of(receiver, self._medium)

    def send(self, outbound: Outbound) -> str:
        line = f"{outbound.delivery_id} {outbound.address} {time.time()}\n"
        os.write(self._record, line.encode())
        word, _, seconds = outbound.text.partition(" ")
        time.sleep(float(seconds) if word in ("WAIT", "DIE") else self._latency)
        if word == "DIE":
            os.kill(os.getpid(), signal.SIGKILL)
        return f"taken-{outbound.delivery_id}"

    def close(self) -> None:
        os.close(self._record)


@dataclass(frozen=True, slots=True)
class Taken:
    """One message that the provider took, and when, by `time.time`."""

    delivery: str
    address: str
    at: float


class Record:
    """What the provider has taken so far, repeats included. Each line is read once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.path.touch()
        self._read = 0
        self._all: list[Taken] = []
        self._by_message: defaultdict[str, list[Taken]] = defaultdict(list)

    def url(self, *, latency: str = "0ms", concurrency: int = 16) -> str:
        """The channel that writes it."""
        return f"recording://{self.path}?latency={latency}&concurrency={concurrency}"

    def taken(self, message: str = "") -> list[Taken]:
        """What was taken of one message, or of all, in order."""
        self._read_on()
        return list(self._by_message[message] if message else self._all)

    def repeats(self, message: str = "") -> int:
        """How often a delivery was taken once more."""
        return sum(times - 1 for times in Counter(x.delivery for x in self.taken(message)).values())

    def _read_on(self) -> None:
        with self.path.open("rb") as record:
            record.seek(self._read)
            whole = record.read().rpartition(b"\n")[0]
        if not whole:
            return
        self._read += len(whole) + 1
        for line in whole.decode().split("\n"):
            delivery, address, at = line.split()
            one = Taken(delivery, address, float(at))
            self._all.append(one)
            self._by_message[_message_of(delivery)].append(one)


def _message_of(delivery: str) -> str:
    """The uid of a delivery's message: `delivery_id` says how the one holds the other."""
    return delivery.rsplit("-", 2)[0]
