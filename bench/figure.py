"""A measured figure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bench.stack import cpu_seconds
from tests.processes import Process
from tests.service import Service


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A rate per second, and what else there is to know of it."""

    rate: float
    notes: str = ""


class Meter:
    """Processor time of processes and servers from now on, each under its name.

    On a machine that does other things too it tells more than the clock.
    """

    def __init__(self, **parts: Iterable[Process | Service]) -> None:
        self._parts = {name: list(each) for name, each in parts.items()}
        self._before = self._used()

    def used(self) -> dict[str, float]:
        """Seconds of it so far."""
        return {name: after - self._before[name] for name, after in self._used().items()}

    def _used(self) -> dict[str, float]:
        return {name: sum(map(cpu_seconds, each)) for name, each in self._parts.items()}


def processor_each(used: Mapping[str, float], count: float) -> str:
    """What one of `count` pieces of work has cost of the processor time that was used."""
    parts = [f"{name} {seconds / count * 1e6:.0f}" for name, seconds in used.items()]
    return f"processor µs each: {', '.join(parts)}"
