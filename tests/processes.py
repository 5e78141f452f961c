"""Processes that tests start: none of them, nor their children, outlives the test run."""

import contextlib
import fcntl
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from tests.guard import Guard, kill_tree, tree

# Below the range from which the kernel takes the ports of outgoing connections (32768 and up):
# a server that is restarted on its port must not find a client of another test sitting there.
_PORTS = range(20_000, 32_000)

_MEMORY = Path("/dev/shm")
_ROOM = 4 * 2**30

_guard = Guard()
_given: set[int] = set()


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 on which nothing listens, and that no other test is given.

    It stays the caller's as long as this process lives, whether something listens on it or not.
    """
    while True:
        port = secrets.choice(_PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            if port not in _given:
                fcntl.lockf(_reservations(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
                _given.add(port)
                return port


@cache
def _reservations() -> int:
    """A file whose octets are ports: test runs that go on at the same time lock theirs."""
    path = Path(tempfile.gettempdir()) / f"tidings-ports-{os.getuid()}"
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def is_listening(port: int) -> bool:
    """Tell whether something accepts connections on a port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def new_folder(*, on_disk: bool = False) -> Path:
    """Return an empty folder, private to this user and removed after the test run.

    Unless it must be on a disk, it is in memory where there is room: to make a database is ten
    times the work on a disk.
    """
    has_room = _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > _ROOM
    in_memory = has_room and not on_disk
    folder = Path(tempfile.mkdtemp(prefix="tidings-", dir=_MEMORY if in_memory else None))
    _guard.remove_folder(folder)
    return folder


class Process:
    """A command that runs with all its children in a session of its own.

    What it prints is appended to the log. `user` (root may give one) is whom it runs as.
    `stop_signal` is what it understands as a request to end.
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        user: str | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
    ) -> None:
        self.log = log
        self._stop_signal = stop_signal
        with log.open("ab") as output:
            self._popen = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=env,
                cwd=cwd,
                user=user,
                group=user,
                extra_groups=None if user is None else [],
                start_new_session=True,
            )
        _guard.end_process(self.pid, stop_signal)

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def exit_code(self) -> int | None:
        """The exit code, negative for a signal, None while it runs."""
        return self._popen.poll()

    def pids(self) -> set[int]:
        """Return the pids of the process and all its descendants that are alive."""
        return tree(self.pid)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process itself, not to its children."""
        self._popen.send_signal(number)

    def wait(self, within: float = 120.0) -> int:
        """Wait until the process has ended by itself, and return its exit code."""
        return self._popen.wait(within)

    def stop(self, within: float = 120.0) -> int:
        """Ask the process to end, end by SIGKILL what is left of its tree, return its exit code.

        Raises AssertionError, with the end of the log, if it took longer than `within` seconds.
        """
        self.signal(self._stop_signal)
        try:
            return self._popen.wait(within)
        except subprocess.TimeoutExpired:
            raise AssertionError(
                f"{self._popen.args!r} did not stop within {within:g} s\n{self.log_tail()}"
            ) from None
        finally:
            self.kill()

    def kill(self) -> None:
        """End the whole tree by SIGKILL."""
        kill_tree(self.pid)
        self._popen.wait()

    def log_tail(self, lines: int = 40) -> str:
        """Return the last lines of the log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
