"""What is known against a dependency fails the check; a network that is away does not."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.http_peer import Peer, says
from tests.processes import free_port

AUDIT = Path(__file__).parents[2] / ".ci" / "audit.py"
WEAKNESS = {
    "id": "PYSEC-2019-217",
    "summary": "A sandbox escape",
    "aliases": ["CVE-2019-10906"],
    "affected": [
        {
            "package": {"name": "jinja2", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.10.1"}]}],
        }
    ],
}


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "requirements.lock"
    path.write_text(f"jinja2==2.10 --hash=sha256:{'0' * 64}\n")
    return path


@contextmanager
def knows(answer: Mapping[str, Any]) -> Iterator[str]:
    """The URL of a database of weaknesses that always gives this answer (osv.dev's form)."""
    body = orjson.dumps(answer)
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    with closing(Peer(says(head % len(body) + body))) as peer:
        yield peer.url


def audit(lock: Path, url: str, *more: str) -> subprocess.CompletedProcess[str]:
    arguments = ["--requirement", str(lock), "--require-hashes", "--disable-pip"]
    service = ["--vulnerability-service", "osv", "--osv-url", url, "--timeout", "1"]
    return subprocess.run(
        [sys.executable, AUDIT, *arguments, *service, *more],
        capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip


def test_a_known_weakness_fails_and_says_what_mends_it(lock: Path) -> None:
    with knows({"vulns": [WEAKNESS]}) as url:
        done = audit(lock, url)
        assert done.returncode == 1, done.stderr
        assert "jinja2 2.10: PYSEC-2019-217, mended in 2.10.1" in done.stdout


def test_where_nothing_is_known_all_is_well(lock: Path) -> None:
    with knows({}) as url:
        done = audit(lock, url)
        assert (done.returncode, done.stderr) == (0, "")
        assert "nothing is known against 1 of 1 dependencies" in done.stdout


def test_a_network_that_is_away_fails_nothing_and_is_told(lock: Path) -> None:
    done = audit(lock, f"http://127.0.0.1:{free_port()}")
    assert done.returncode == 0
    assert "NOT ASKED" in done.stdout


def test_a_network_that_does_not_answer_fails_nothing_either(lock: Path) -> None:
    with closing(Peer(says())) as peer:
        done = audit(lock, peer.url)
    assert (done.returncode, peer.connections) == (0, 1)
    assert "NOT ASKED" in done.stdout


def test_a_wrong_call_fails(lock: Path) -> None:
    assert audit(lock, "http://127.0.0.1", "--no-such-option").returncode == 2
