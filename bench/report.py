"""What the measurements say, as Markdown."""

import os
import platform
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median

from redis import Redis

from bench.stack import Stack, connect

_LIBRARIES = ("falcon", "gunicorn", "SQLAlchemy", "psycopg", "dramatiq", "celery")


@dataclass(frozen=True, kw_only=True)
class Line:
    """One measurement: its figure in each round, and what else there is to know."""

    name: str
    unit: str
    figures: Sequence[float]
    notes: str = ""

    @property
    def median(self) -> float:
        """The middle one of the rounds, or between the middle two."""
        return median(self.figures)


@dataclass(frozen=True, kw_only=True)
class Bar:
    """What a figure has to reach."""

    name: str
    figure: float
    least: float

    @property
    def reached(self) -> bool:
        """Whether it does."""
        return self.figure >= self.least

    def __str__(self) -> str:
        verdict = "PASS" if self.reached else "FAIL"
        return f"{self.name}: {_number(self.figure)}, at least {_number(self.least)}: **{verdict}**"


def machine(stack: Stack) -> str:
    """The machine and the versions, in two lines."""
    libraries = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    return (
        f"{_processor()}, {os.cpu_count()} cores, {_memory():.0f} GB; {platform.system()} "
        f"{platform.release()}; load average {os.getloadavg()[0]:.1f} before the start.\n"
        f"Python {platform.python_version()}, {libraries}; {_servers(stack)}."
    )


def table(lines: Iterable[Line]) -> str:
    """The measurements as a Markdown table."""
    rows = [
        f"| {one.name} | {_number(one.median)} {one.unit} "
        f"| {' '.join(map(_number, one.figures))} | {one.notes} |"
        for one in lines
    ]
    head = [
        "| measured | median | rounds | how, and in the last round |",
        "| --- | ---: | --- | --- |",
    ]
    return "\n".join([*head, *rows])


def ratios(ours: Line, others: Mapping[str, Line]) -> list[str]:
    """How many times faster we are than each."""
    return [f"{ours.median / one.median:.1f} times {name}" for name, one in others.items()]


def _number(figure: float) -> str:
    return f"{figure:,.1f}" if figure < 100 else f"{figure:,.0f}"


def _processor() -> str:
    found = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found[1] if found else platform.machine()


def _servers(stack: Stack) -> str:
    with connect(stack.postgresql.url) as connection, Redis.from_url(stack.redis.url) as redis:
        postgresql = connection.info.parameter_status("server_version")
        redis_version = redis.info("server")["redis_version"]
    said = re.search(r"Starting RabbitMQ (\S+)", (stack.rabbitmq.folder / "log").read_text())
    rabbitmq = said[1] if said else "of unknown version"
    return f"PostgreSQL {postgresql}, RabbitMQ {rabbitmq}, Redis {redis_version}"


def _memory() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
