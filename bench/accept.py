"""Accepted requests per second over HTTP."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from bench.load import WARM_UP, Load
from bench.stack import Stack, cpu_seconds
from tests.processes import Process

CONNECTIONS = 16


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """What was measured, and what a request cost the API and PostgreSQL in processor seconds."""

    load: Load
    api_cpu: float
    postgresql_cpu: float

    def __str__(self) -> str:
        return (
            f"median {self.load.median * 1e3:.1f} ms, p99 {self.load.p99 * 1e3:.1f} ms; processor "
            f"per request: API {self.api_cpu * 1e6:.0f} µs, PostgreSQL "
            f"{self.postgresql_cpu * 1e6:.0f} µs, load generator {self.load.cpu_each * 1e6:.0f} µs"
        )


def measure_accepting(stack: Stack, *, seconds: float, working: bool) -> Accepted:
    """One-receiver emails sent over keep-alive connections, each answered 200.

    `working`: while a relay and a worker deliver what is accepted.
    """
    with stack.database() as database, stack.api(database) as (api, port), ExitStack() as others:
        if working:
            others.enter_context(stack.tidings(database, "work", "--queues", "deliver.*.normal"))
            others.enter_context(stack.tidings(database, "relay"))
        with _loaded(port, seconds) as client:
            time.sleep(WARM_UP)
            before = _used(stack, api)
            time.sleep(seconds * 0.9)
            after = _used(stack, api)
            load = _result(client)
    requests = load.rate * (after[0] - before[0])
    return Accepted(
        load=load,
        api_cpu=(after[1] - before[1]) / requests,
        postgresql_cpu=(after[2] - before[2]) / requests,
    )


def _used(stack: Stack, api: Process) -> tuple[float, float, float]:
    return time.monotonic(), cpu_seconds(api), cpu_seconds(stack.postgresql)


@contextmanager
def _loaded(port: int, seconds: float) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", "bench.load", "127.0.0.1", f"{port}", f"{CONNECTIONS}"]
    client = subprocess.Popen([*command, f"{seconds}"], stdout=subprocess.PIPE, text=True)
    try:
        yield client
    finally:
        client.kill()
        client.wait()


def _result(client: "subprocess.Popen[str]") -> Load:
    printed, _ = client.communicate(timeout=120)
    if client.returncode != 0:
        sys.exit("the measurement of accepting failed, see above")
    return Load(**json.loads(printed))
