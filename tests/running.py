"""Tidings as its users run it: real processes, spoken to over HTTP."""

import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from math import ceil
from pathlib import Path
from typing import Any, Self
from xmlrpc.client import ServerProxy

import orjson
from supervisor.xmlrpc import SupervisorTransport

from tests.processes import Process, free_port, new_folder
from tests.recording import PLUG_IN
from tests.waiting import wait_until

REPOSITORY = Path(__file__).parent.parent
COMMANDS = Path(sys.executable).parent
START_WITHIN = 300.0
STOP_WITHIN = 300.0
FLUSHED_AFTER = 0.05
"""Seconds after which an answer is to be recorded at the latest."""
RECORDING = 1.0
"""Seconds that the transaction which records outcomes may take on a busy machine."""
PATH = "/communicationMessage/v1/communicationMessage"


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP response."""

    status: int
    content: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.content)


class Api:
    """The HTTP API of a Tidings that runs, as a client sees it."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """One request on a connection of its own. OSError or HTTPException if it fails."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            content = None if body is None else orjson.dumps(body)
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, content, {"Content-Type": "application/json", **named})
            response = connection.getresponse()
            return Answer(response.status, response.read())
        finally:
            connection.close()

    def send(self, **message: Any) -> str:
        """Have a new message sent; its id."""
        answer = self.call("POST", f"{PATH}/send", message)
        assert answer.status == 200, answer
        return str(answer.json["id"])

    def message(self, message: str) -> dict[str, Any]:
        """A message as it is now."""
        answer = self.call("GET", f"{PATH}/{message}")
        assert answer.status == 200, answer
        resource: dict[str, Any] = answer.json
        return resource

    def status(self, message: str) -> str:
        """A message's status, and nothing else of it."""
        return str(self.call("GET", f"{PATH}/{message}?fields=status").json["status"])

    def deliveries(self, message: str) -> list[dict[str, Any]]:
        """The first thousand deliveries of a message."""
        answer = self.call("GET", f"{PATH}/{message}/delivery?limit=1000")
        assert answer.status in (200, 206), answer
        listed: list[dict[str, Any]] = answer.json
        return listed

    def change(self, message: str, **changes: Any) -> Answer:
        """PATCH a message."""
        return self.call("PATCH", f"{PATH}/{message}", changes)

    def ends(self, message: str, *, within: float = 120.0) -> dict[str, Any]:
        """Wait until a message's sending is over, and return it."""

        def over() -> bool:
            answer = self.call("GET", f"{PATH}/{message}?fields=deliverySummary")
            # While the database is away there is no telling.
            return answer.status == 200 and not answer.json["deliverySummary"]["pending"]

        wait_until(over, within=within, every=0.05, otherwise=f"message {message} did not end")
        return self.message(message)

    def counted(self, metric: str, **labels: str) -> float:
        """The sum of a metric's samples that have these labels."""
        wanted = [f'{name}="{value}"' for name, value in labels.items()]
        lines = self.call("GET", "/metrics").content.decode().splitlines()
        hits = [
            line for line in lines if line.startswith(metric) and all(x in line for x in wanted)
        ]
        return sum(float(line.rpartition(" ")[2]) for line in hits)

    def answers(self) -> bool:
        """Whether it serves at all."""
        try:
            return self.call("GET", "/health").status == 200
        except (OSError, HTTPException):
            return False


def sms(*numbers: str, content: str = "Hello", **rest: Any) -> dict[str, Any]:
    """An SMS to these numbers."""
    receivers = [{"phoneNumber": number} for number in numbers]
    return {"type": "SMS", "content": content, "receiver": receivers, **rest}


def numbers(count: int) -> list[str]:
    """That many different telephone numbers."""
    return [f"+4670{number:07d}" for number in range(count)]


def in_flight(*, latency: float, concurrency: int) -> int:
    """How many sends a worker may have begun whose outcomes are not recorded yet.

    Those at the provider, and those that were answered since the last recording.
    """
    return concurrency * (1 + ceil((FLUSHED_AFTER + RECORDING) / latency))


def environment(folder: Path, **settings: object) -> dict[str, str]:
    """Of a Tidings process with these settings: nothing else of the caller's but the PATH.

    Without what would have coverage measure it, it is as quick as its users'.
    """
    named = {f"TIDINGS_{name.upper()}": str(value) for name, value in settings.items()}
    python = f"{_plug_in(folder)}:{REPOSITORY}"
    own = {"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": python}
    return {**own, "LANG": "C.UTF-8", **named}


def _plug_in(folder: Path) -> Path:
    """A folder in which Python finds the recording channel as an installed plug-in."""
    information = folder / "plug-in" / "recording-1.dist-info"
    information.mkdir(parents=True, exist_ok=True)
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: recording\nVersion: 1\n")
    (information / "entry_points.txt").write_text(PLUG_IN)
    return information.parent


def tidings(folder: Path, *arguments: str, **settings: object) -> Process:
    """The command `tidings`, started in a folder; it logs to `log` there."""
    return Process(
        [COMMANDS / "tidings", *arguments],
        log=folder / "log",
        env=environment(folder, **settings),
        cwd=folder,
    )


class Embedded:
    """`tidings up` on a data folder of its own."""

    def __init__(self, folder: Path, **settings: object) -> None:
        self.folder = folder
        self.port = free_port()
        self.api = Api(self.port)
        self._settings = settings
        self._starts = 0
        self.start()

    def start(self, **changed: object) -> None:
        """Start it, once more if it ran before, and return when it answers."""
        self._settings |= changed
        self._starts += 1
        self.process = self._launch()
        wait_until(self._answers, within=START_WITHIN, otherwise="tidings up did not answer")

    def log(self) -> str:
        """All that it has said."""
        return self.process.log.read_text()

    def _answers(self) -> bool:
        assert self.process.exit_code is None, self.process.log_tail()
        # A killed predecessor may have left a child that answers still.
        return self.log().count("Tidings serves") == self._starts and self.api.answers()

    def _launch(self) -> Process:
        bind = f"127.0.0.1:{self.port}"
        return tidings(
            self.folder, "up", "--bind", bind, "--data", str(self.folder / "data"), **self._settings
        )


@contextmanager
def embedded(**settings: object) -> Iterator[Embedded]:
    """A `tidings up` that answers; at the end it is told to stop."""
    running = Embedded(new_folder(), **settings)
    try:
        yield running
    finally:
        running.process.stop(STOP_WITHIN)


class Supervised:
    """supervisord with the repository's supervisord.conf, on the engines of the settings.

    `%(here)s` is a folder of its own that links to the file and to the virtual environment, so
    that it stands beside one that somebody runs by hand.
    """

    def __init__(self, **settings: object) -> None:
        self.here = new_folder()
        (self.here / "supervisord.conf").symlink_to(REPOSITORY / "supervisord.conf")
        (self.here / ".venv").symlink_to(sys.prefix)
        self.port = free_port()
        self.api = Api(self.port)
        self.settings = {
            "bind": f"127.0.0.1:{self.port}",
            "data": self.here / "data",
            **settings,
        }
        self._process: Process | None = None

    def start(self) -> None:
        """Migrate, start supervisord, and return when the API answers."""
        migration = tidings(self.here, "db", "upgrade", **self.settings)
        assert migration.wait(START_WITHIN) == 0, migration.log_tail()
        self._process = Process(
            [COMMANDS / "supervisord", "-c", self.here / "supervisord.conf"],
            log=self.here / "log",
            env=environment(self.here, **self.settings),
            cwd=self.here,
        )
        wait_until(self._answers, within=START_WITHIN, otherwise="the API did not answer")

    def stop(self) -> int:
        """Have supervisord stop all, and return its exit code."""
        assert self._process is not None
        self._ask("stopAllProcesses")  # at once: when it ends it stops one after the other
        return self._process.stop(STOP_WITHIN)

    def pid(self, program: str) -> int:
        """The pid of one of the file's programs; 0 when it does not run."""
        return int(self._ask("getProcessInfo", program)["pid"])

    def kill_program(self, program: str) -> None:
        """SIGKILL one of the file's programs; returns when it runs again."""
        killed = self.pid(program)
        os.kill(killed, signal.SIGKILL)
        wait_until(
            lambda: self.pid(program) not in (0, killed),
            within=START_WITHIN,
            otherwise=f"{program} was not started again",
        )

    def log(self) -> str:
        """All that its processes have said."""
        return (self.here / "log").read_text()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    def _ask(self, method: str, *arguments: str) -> Any:
        """What supervisord answers to what supervisorctl asks of it."""
        socket_url = f"unix://{self.here}/.supervisord.sock"
        with ServerProxy("http://localhost", SupervisorTransport(serverurl=socket_url)) as asked:
            return getattr(asked.supervisor, method)(*arguments)

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.exit_code is None, self._process.log_tail()
        return self.api.answers()


def came_too_late(running: Supervised | Embedded) -> int:
    """How often the lease of outcomes was gone, and another worker had their deliveries."""
    return running.log().count("outcomes came too late")


@contextmanager
def occupied_port() -> Iterator[int]:
    """A port of 127.0.0.1 on which somebody else listens."""
    with socket.create_server(("127.0.0.1", free_port())) as server:
        yield int(server.getsockname()[1])
