"""One request over HTTP/2, and the answer to it as it comes."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from communication.http.client import Answer

Headers = Sequence[tuple[str, str]]


class NotProcessed(Exception):
    """The server has not acted on the request: it may be sent again (RFC 9113 §8.7)."""

    def __init__(self, *, too_fast: bool = False) -> None:
        super().__init__()
        self.too_fast = too_fast
        """The server ended the connection because it was asked for too much."""


@dataclass(slots=True)
class Call:
    """One request. `sent`: all of it is on its way, so the server may have acted on it."""

    headers: Headers
    content: bytes
    sent: bool = False


@dataclass(slots=True)
class Stream:
    """A request under way. Lives in a loop."""

    call: Call
    answer: asyncio.Future[Answer]
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)

    def finish(self) -> None:
        """The answer is whole."""
        if not self.answer.done():
            self.answer.set_result(Answer(self.status, self.headers, bytes(self.body)))

    def fail(self, error: Exception) -> None:
        """There will be no answer."""
        if not self.answer.done():
            self.answer.set_exception(error)
            self.answer.exception()  # whoever waited for it may be gone
