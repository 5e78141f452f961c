"""The example of docs/add-a-channel.md as it stands there, installed as anybody's package."""

import re
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import orjson
import pytest

from tests.processes import new_folder
from tests.running import COMMANDS, REPOSITORY, environment

GUIDE = REPOSITORY / "docs" / "add-a-channel.md"


class Listener:
    """An HTTP server that Apprise's `json://` posts to."""

    def __init__(self) -> None:
        self.said: list[dict[str, str]] = []
        said = self.said

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                said.append(orjson.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(500 if self.path.startswith("/down") else 200)
                self.end_headers()

            def log_message(self, *_arguments: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            request_queue_size = 128

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"apprise+json://127.0.0.1:{self.server.server_port}"


@pytest.fixture(scope="module")
def listener() -> Iterator[Listener]:
    running = Listener()
    thread = Thread(target=running.server.serve_forever, daemon=True)
    thread.start()
    yield running
    running.server.shutdown()
    running.server.server_close()
    thread.join(10)


@pytest.fixture(scope="module")
def installed() -> Path:
    """The folder into which pip has installed what the guide shows."""
    source, site = new_folder(), new_folder()
    blocks = dict(re.findall(r"```(toml|python)\n(.*?)```", GUIDE.read_text(), re.DOTALL))
    (source / "pyproject.toml").write_text(blocks["toml"])
    (source / "apprise_channel.py").write_text(blocks["python"])
    quick = ("--no-deps", "--no-build-isolation", "--no-index", "--quiet")
    command = (sys.executable, "-m", "pip", "install", *quick, "--target", site, source)
    subprocess.run(command, check=True, capture_output=True, timeout=600)
    return site


def run(installed: Path, *command: str, **settings: str) -> tuple[int, str]:
    """Exit code and output of a command of the environment, run where the plug-in is."""
    own = environment(installed, **settings)
    done = subprocess.run(
        [str(COMMANDS / command[0]), *command[1:]],
        env=own | {"PYTHONPATH": f"{installed}:{own['PYTHONPATH']}"},
        cwd=new_folder(),
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    return done.returncode, done.stdout + done.stderr


def test_the_guide_is_short() -> None:
    assert len(GUIDE.read_text().splitlines()) < 60


def test_tidings_shows_it_and_sends_through_it(installed: Path, listener: Listener) -> None:
    (guides,) = re.findall("TIDINGS_PUSH_URL='(.*?)'", GUIDE.read_text())
    code, shown = run(installed, "tidings", "channels", push_url=guides)
    assert (code, "invalid" in shown) == (0, False), shown
    assert "apprise        From `apprise+SERVICE://…`" in shown

    code, said = run(installed, "tidings", "channels", "test", listener.url, "--to", "a@b.org")

    assert (code, "apprise+json:// took it in" in said) == (0, True), said
    assert listener.said[-1]["title"] == "A test message"
    code, said = run(
        installed, "tidings", "channels", "test", f"{listener.url}/down", "--to", "a@b.org"
    )
    assert (code, "did not take it, which may pass: Apprise could" in said) == (1, True), said
    code, said = run(installed, "tidings", "channels", "test", "apprise+no://", "--to", "a@b.org")
    assert (code, "Apprise does not know such a URL" in said) == (1, True), said


def test_it_passes_the_tests_that_every_channel_passes(installed: Path, listener: Listener) -> None:
    command = ("pytest", "--quiet", "-p", "no:cacheprovider", "--pyargs", "channels.testing")
    code, said = run(installed, *command, channel=f"{listener.url}/{{to}}")
    assert code == 0, said
    assert "passed" in said
