"""Accepted requests per second over HTTP."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from bench.figure import Figure, Meter, processor_each
from bench.load import WARM_UP, Load
from bench.stack import Stack

CONNECTIONS = 16


def measure_accepting(stack: Stack, *, seconds: float, working: bool) -> Figure:
    """One-receiver emails sent over keep-alive connections, each answered 200.

    `working`: while a relay and a worker deliver what is accepted.
    """
    with stack.database() as database, stack.api(database) as (api, port), ExitStack() as others:
        if working:
            others.enter_context(stack.tidings(database, "work", "--queues", "deliver.*.normal"))
            others.enter_context(stack.tidings(database, "relay"))
        with _loaded(port, seconds) as client:
            time.sleep(WARM_UP)
            began, meter = time.monotonic(), Meter(API=[api], PostgreSQL=[stack.postgresql])
            time.sleep(seconds * 0.9)
            took, used = time.monotonic() - began, meter.used()
            load = _result(client)
    return Figure(rate=load.rate, notes=f"{load}; {processor_each(used, load.rate * took)}")


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
