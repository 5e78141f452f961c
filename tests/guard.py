"""Process trees, and the guard that ends them when the test run itself is gone.

A run can die in ways that leave it no time to clean up (SIGKILL, a crash, the terminal closed).
So a small process outside it waits for the end of a pipe that the run holds open, and then ends
every process and removes every folder that it was told of. It needs the standard library alone:
it is started without site-packages, so that it is quick and coverage does not measure it.
"""

import atexit
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import IO, NamedTuple

_PATIENCE = 30.0


class _Entry(NamedTuple):
    """What /proc/<pid>/stat says of a process; `started` tells it from a later one of that pid."""

    pid: int
    state: str
    parent: int
    session: int
    threads: int
    started: int

    @property
    def alive(self) -> bool:
        # A zombie with threads still has them: its sockets stay open until the last has ended.
        return self.state != "Z" or self.threads > 1


def _entry(pid: int | str) -> _Entry | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return None
    # The command's name is in parentheses and may itself hold spaces and parentheses.
    fields = text.rpartition(")")[2].split()
    parent, session, threads, started_at = (int(fields[index]) for index in (1, 3, 17, 19))
    return _Entry(int(pid), fields[0], parent, session, threads, started_at)


def _entries() -> Iterator[_Entry]:
    for name in os.listdir("/proc"):  # noqa: PTH208
        entry = _entry(name) if name.isdigit() else None
        if entry is not None and entry.alive:
            yield entry


def started(pid: int) -> int:
    """Return when the process started (in clock ticks since boot), 0 when there is none."""
    entry = _entry(pid)
    return entry.started if entry is not None and entry.alive else 0


def tree(leader: int) -> set[int]:
    """Return the pids alive of a session leader, its session and all of their descendants."""
    entries = list(_entries())
    found = {entry.pid for entry in entries if entry.session == leader}
    grown = True
    while grown:
        children = {entry.pid for entry in entries if entry.parent in found}
        grown = not children <= found
        found |= children
    return found


def kill_tree(leader: int) -> None:
    """End the tree of a session leader by SIGKILL, and return when none of it is left.

    The tree is frozen first: a process that is killed while it starts another one, or whose
    children move to a session of their own (PostgreSQL's do), would leave them behind.
    """
    frozen: set[int] = set()
    while fresh := tree(leader) - frozen:
        _signal(fresh, signal.SIGSTOP)
        frozen |= fresh
    _signal(frozen, signal.SIGKILL)
    _wait_while(lambda: any(started(pid) for pid in frozen))


def _signal(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _wait_while(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while condition() and time.monotonic() < deadline:
        time.sleep(0.01)


class Guard:
    """The run's end of the pipe. The guard process is started when there is something to guard."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def end_process(self, leader: int, stop_signal: signal.Signals) -> None:
        """Have a process tree ended after this run: first by the signal, then by SIGKILL."""
        self._tell(f"process {leader} {started(leader)} {stop_signal:d}")

    def remove_folder(self, folder: Path) -> None:
        """Have a folder removed after this run."""
        self._tell(f"folder {folder}")

    def close(self) -> None:
        """Let the guard do its work now, and wait for it."""
        if self._process is not None:
            self._process.communicate()
            self._process = None

    def _tell(self, line: str) -> None:
        if self._process is None:
            self._process = self._start()
            atexit.register(self.close)
        pipe = self._process.stdin
        assert pipe is not None
        pipe.write(line + "\n")
        pipe.flush()

    def _start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-I", "-S", __file__],
            stdin=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )


def _guard(pipe: IO[str]) -> None:
    lines = [line.rstrip("\n").split(" ", 1) for line in pipe]
    processes = [tuple(map(int, rest.split())) for kind, rest in lines if kind == "process"]
    left = [(pid, number) for pid, since, number in processes if started(pid) == since]
    for pid, number in reversed(left):
        _signal([pid], signal.Signals(number))
    for pid, _ in reversed(left):
        _wait_while(partial(tree, pid))
        kill_tree(pid)
    for kind, rest in lines:
        if kind == "folder":
            shutil.rmtree(rest, ignore_errors=True)


if __name__ == "__main__":
    _guard(sys.stdin)
