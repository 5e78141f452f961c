"""Peers that run under Node: servers built on implementations that no one here wrote."""

import json
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.waiting import wait_until

_PEERS = Path(__file__).parent / "peers"


class PeerProcess:
    """A script of tests/peers that runs: what it received, and how it is told to behave."""

    def __init__(self, script: str, settings: dict[str, Any]) -> None:
        self.requests: list[dict[str, Any]] = []
        self.port = 0
        self.facts: dict[str, Any] = {}
        """What it tells of itself when it listens."""
        self._acknowledged: list[str] = []
        self._process = subprocess.Popen(
            ["node", _PEERS / script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._write(settings)
        wait_until(lambda: self.port, otherwise=f"{script} did not listen")

    def behave(self, key: str, *behaviours: dict[str, Any]) -> None:
        """Treat requests for the key so: each of these once, the last one for ever."""
        before = len(self._acknowledged)
        self._write({"key": key, "behaviours": behaviours})
        wait_until(lambda: len(self._acknowledged) > before, every=0.002)

    def received(self, count: int) -> list[dict[str, Any]]:
        """What it received, once that is so many requests."""
        wait_until(lambda: len(self.requests) >= count, every=0.002)
        assert len(self.requests) == count
        return self.requests

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """It does nothing at all for the length of a block, and its connections stay open."""
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._reader.join()
        self._process.stdout.close()

    def _write(self, line: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(line) + "\n")
        self._process.stdin.flush()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            event = json.loads(line)
            if "listening" in event:
                self.facts = event
                self.port = event["listening"]
            elif "request" in event:
                self.requests.append(event["request"])
            else:
                self._acknowledged.append(event["acknowledged"])


@contextmanager
def peer_process(script: str, **settings: Any) -> Iterator[PeerProcess]:
    """A peer for the length of a block."""
    running = PeerProcess(script, settings)
    try:
        yield running
    finally:
        running.close()
