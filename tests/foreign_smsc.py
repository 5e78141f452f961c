"""SMSCs whose codecs nobody here wrote: the npm package smpp, and Net::SMPP for Perl."""

from pathlib import Path
from typing import Any

import orjson

from tests.service import Service

_PEERS = Path(__file__).parent / "peers"
SYSTEM_ID, PASSWORD = "tidings", "secret"


class _Smsc(Service):
    @property
    def url(self) -> str:
        return f"smpp://{SYSTEM_ID}:{PASSWORD}@127.0.0.1:{self.port}"

    def log(self) -> list[dict[str, Any]]:
        """The PDUs that it was sent, and of peers/smsc.cjs how receipts were answered."""
        lines = (self.folder / "log").read_bytes().splitlines()
        return [orjson.loads(line) for line in lines if line.startswith(b"{")]

    def sent(self, command: str) -> list[dict[str, Any]]:
        """The PDUs of one command that it was sent."""
        return [line for line in self.log() if line.get("command") == command]

    def _answers(self) -> bool:
        return True


class ForeignSmsc(_Smsc):
    """Runs peers/smsc.cjs, whose head tells the options; it logs with the option `log`."""

    def __init__(self, **options: object) -> None:
        super().__init__()
        self._options = {"password": PASSWORD, **options}

    def behave(self, **options: object) -> None:
        """Start again, on the same port, with these options changed."""
        self._options |= options
        self.restart()

    def receipts_taken(self) -> int:
        """How many of its receipts were answered by success."""
        return sum(line.get("status") == 0 for line in self.log() if "receipt" in line)

    def _launch(self) -> None:
        options = orjson.dumps({**self._options, "port": self.port}).decode()
        self._run("node", _PEERS / "smsc.cjs", options)


class PerlSmsc(_Smsc):
    """Runs peers/smsc.pl, whose head tells what it does."""

    def _launch(self) -> None:
        self._run("perl", _PEERS / "smsc.pl", str(self.port), PASSWORD)
