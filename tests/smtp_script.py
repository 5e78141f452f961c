"""What an SMTP server of the tests is to do, and what it took."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Step:
    """What the server does in place of a command.

    It first waits so many seconds, then answers, then hangs up if told so; without an answer
    and without hanging up the command takes its usual way. `drip` is the seconds between the
    octets of the answer.
    """

    reply: str | None = None
    drop: bool = False
    wait: float = 0.0
    drip: float = 0.0


@dataclass
class Received:
    """One mail as the server took it."""

    content: bytes
    sender: str
    recipients: list[str]
    login: str | None
    encrypted: bool


@dataclass
class Script:
    """Steps by what they answer; each is done once, in order, unless it is `always`.

    The key is a command (`MAIL`), a command and what its argument holds (`RCPT bob@`),
    `CONNECT` for the greeting or `END` for the answer to a whole mail.
    """

    steps: dict[str, list[Step]] = field(default_factory=dict)
    always: dict[str, Step] = field(default_factory=dict)

    def next(self, command: str, argument: str) -> Step | None:
        for key, steps in self.steps.items():
            if steps and _matches(key, command, argument):
                return steps.pop(0)
        hits = (step for key, step in self.always.items() if _matches(key, command, argument))
        return next(hits, None)


def _matches(key: str, command: str, argument: str) -> bool:
    wanted, _, part = key.partition(" ")
    return wanted == command and part in argument


@dataclass
class SmtpServer:
    """A running server: what it was sent, and how it is told to behave from now on."""

    script: Script = field(default_factory=Script)
    mails: list[Received] = field(default_factory=list)
    commands: Counter[str] = field(default_factory=Counter)
    connections: int = 0
    open_connections: int = 0
    logins: list[tuple[str, str]] = field(default_factory=list)
    pipelining: bool = False
    port: int = 0
    hang_up: Callable[[], None] = lambda: None

    def on(self, key: str, *steps: Step) -> None:
        """Do these steps, one for each time."""
        self.script.steps.setdefault(key, []).extend(steps)

    def always(self, key: str, step: Step) -> None:
        """Do this step every time."""
        self.script.always[key] = step
