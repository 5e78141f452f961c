"""Lines and replies over one socket, never later than the deadline."""

import re
import socket
import ssl
from base64 import b64encode
from dataclasses import dataclass

from channels.endpoint import Deadline
from communication.errors import TransientDeliveryError

_REPLY_LINE = re.compile(rb"([2-5][0-9][0-9])(?:([ -])(.*))?", re.DOTALL)
_ENHANCED = re.compile(r"[245]\.[0-9]{1,3}\.[0-9]{1,3} ")
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f]+")
_LONGEST_REPLY = 65_536
_LONGEST_REASON = 500
# One TLS record: a send that a slow reader holds up is then one wait, and ends in time.
CHUNK = 16_384


@dataclass(frozen=True, slots=True)
class Reply:
    """What the server answered: its code, and its lines without it."""

    code: int
    lines: tuple[str, ...]

    @property
    def reason(self) -> str:
        """Code and text on one line; an enhanced status code (RFC 3463) stands once."""
        text, *rest = self.lines
        if rest:
            text = " ".join([text, *(_ENHANCED.sub("", line, count=1) for line in rest)])
        return _CONTROLS.sub(" ", f"{self.code} {text}").strip()[:_LONGEST_REASON]

    def without_text(self) -> "Reply":
        """The code and enhanced status code alone: the text may repeat what it was told."""
        status = _ENHANCED.match(self.lines[0])
        return Reply(self.code, (status[0].strip() if status else "",))


class Wire:
    """A socket to an SMTP server. `deadline` is set by whoever writes and reads."""

    def __init__(self, connected: socket.socket, deadline: Deadline) -> None:
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.deadline = deadline
        self._socket = connected
        self._buffer = b""

    @property
    def own_address(self) -> str:
        """IP address of our end."""
        return str(self._socket.getsockname()[0])

    def start_tls(self, context: ssl.SSLContext, host: str) -> None:
        """Encrypt from here on. What came before the handshake in the clear is not believed."""
        if self._buffer:
            raise TransientDeliveryError("the server sent more than its answer before TLS began")
        self._socket.settimeout(self.deadline.left())
        self._socket = context.wrap_socket(self._socket, server_hostname=host)

    def write(self, data: bytes) -> None:
        """Send all of it."""
        if self._buffer:
            raise ConnectionResetError("the server said more than it was asked")
        for start in range(0, len(data), CHUNK):
            self._socket.settimeout(self.deadline.left())
            self._socket.sendall(data[start : start + CHUNK])

    def read_reply(self) -> Reply:
        """The next reply, of one line or several. TransientDeliveryError if it is none."""
        lines: list[str] = []
        size, code, more = 0, b"", b"-"
        while more == b"-":
            line = self._read_line()
            size += len(line)
            match = _REPLY_LINE.fullmatch(line)
            if match is None or size > _LONGEST_REPLY:
                raise TransientDeliveryError("the server's answer is not SMTP")
            code, more, text = match.groups(b"")
            lines.append(text.decode("utf-8", "replace"))
        return Reply(int(code), tuple(lines))

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def _read_line(self) -> bytes:
        while (end := self._buffer.find(b"\n")) < 0:
            self._socket.settimeout(self.deadline.left())
            received = self._socket.recv(4096)
            if not received:
                raise ConnectionResetError("the server closed it")
            self._buffer += received
            if len(self._buffer) > _LONGEST_REPLY:
                raise TransientDeliveryError("the server's answer is not SMTP")
        line, self._buffer = self._buffer[:end], self._buffer[end + 1 :]
        return line.removesuffix(b"\r")


def address_literal(address: str) -> str:
    """What a host without a known name says in its place (RFC 5321 §4.1.3)."""
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"


def in_base64(text: str) -> str:
    """As a login's dialog has it (RFC 4954)."""
    return b64encode(text.encode()).decode("ascii")
