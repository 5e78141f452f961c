"""What a suite of measurements is made of. `bench/__main__.py` lists the suites."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from bench.figure import Figure
from bench.report import Bar, Line
from bench.stack import Stack


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is measured: rounds of all measurements, in turn."""

    rounds: int
    seconds: float
    deliveries: int
    tasks: int
    idle: int
    events: int


FULL = Size(rounds=2, seconds=8, deliveries=30_000, tasks=4_000, idle=20_000, events=1_000_000)
QUICK = Size(rounds=1, seconds=1, deliveries=1_000, tasks=200, idle=1_000, events=2_000)


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """Something to be measured once in each round."""

    name: str
    unit: str
    run: Callable[[], Figure]
    notes: str = ""


class Suite(Protocol):
    """A module of measurements that belong together."""

    def measurements(self, stack: Stack, size: Size) -> dict[str, Measurement]:
        """What is measured, by a short name, in the order of a round."""
        ...

    def conclusions(self, lines: Mapping[str, Line]) -> list[str]:
        """Sentences about the figures, below the table."""
        ...

    def bars(self, lines: Mapping[str, Line]) -> list[Bar]:
        """What the figures have to reach."""
        ...
