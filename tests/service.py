"""What the private servers have in common."""

import os
import secrets
import shutil
import signal
from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from tests.processes import Process, free_port, is_listening, new_folder
from tests.waiting import wait_until

_START_WITHIN = 300.0


class ServiceError(Exception):
    """A private server could not be started; the message shows the end of its log."""


class Service(ABC):
    """A private server. `start` starts it, and so does entering it as a context."""

    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM

    def __init__(self, *, on_disk: bool = False) -> None:
        self.folder = new_folder(on_disk=on_disk)
        self.port = free_port()
        self._password = secrets.token_hex(8)
        self._processes: list[Process] = []

    @property
    @abstractmethod
    def url(self) -> str:
        """Where clients find it."""

    @abstractmethod
    def _launch(self) -> None:
        """Start the processes, the server itself last."""

    @abstractmethod
    def _answers(self) -> bool:
        """Tell whether a client is served."""

    def start(self) -> None:
        """Start the server on what its folder holds, and return when it answers.

        Raises ServiceError when it does not.
        """
        try:
            self._launch()
            wait_until(self._answers_while_it_runs, within=_START_WITHIN)
        except (AssertionError, OSError, ServiceError) as error:
            self.kill()
            raise ServiceError(
                f"{type(self).__name__} did not start: {error}\n{self.log_tail()}"
            ) from error

    def stop(self) -> None:
        """Have the server end in its own good order. Its data stay; `start` goes on with them."""
        try:
            while self._processes:
                self._processes.pop().stop()
        finally:
            self.kill()

    def kill(self) -> None:
        """End every process of the server by SIGKILL. Its data stay."""
        while self._processes:
            self._processes.pop().kill()

    def restart(self) -> None:
        """Start the server again, on the same port with the same data; running, it stops first."""
        self.stop()
        self.start()

    def close(self) -> None:
        """Stop the server and remove its data."""
        self.stop()
        shutil.rmtree(self.folder)

    def pids(self) -> set[int]:
        """Return the pids of all processes of the server."""
        return {pid for process in self._processes for pid in process.pids()}

    def log_tail(self, lines: int = 40) -> str:
        """Return the last lines of the server's log."""
        log = self.folder / "log"
        text = log.read_text(errors="replace") if log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _answers_while_it_runs(self) -> bool:
        code = self._processes[-1].exit_code
        if code is not None:
            raise ServiceError(f"it ended with exit code {code}")
        return is_listening(self.port) and self._answers()

    def _run(
        self, *command: str | Path, user: str | None = None, env: dict[str, str] | None = None
    ) -> Process:
        # Nothing of the caller's environment: PGDATA or RABBITMQ_* would lead elsewhere.
        own = {"HOME": str(self.folder), "PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
        process = Process(
            command,
            log=self.folder / "log",
            env=own | (env or {}),
            cwd=self.folder,
            user=user,
            stop_signal=self.stop_signal,
        )
        self._processes.append(process)
        return process
