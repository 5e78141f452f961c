"""Requests as they come in: bytes are gathered until one is whole, and only then handled.

Framing follows RFC 9112 §6 just so far as to know where a request ends. What is malformed is
handed on as it is: gunicorn's parser says what is wrong with it, and can't read beyond it.
"""

import re
import tempfile
from typing import IO, Protocol

from communication.errors import BodyTooLarge, InvalidBody, InvalidHeader, RequestError

LONGEST_HEAD = 64 * 1024
IN_MEMORY = 256 * 1024
"""Bytes of one request that are kept in memory; a larger one is kept in a file."""
_HEAD_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,100})[ \t]*(?=\r\n)", re.IGNORECASE)
_LENGTH_NAME = re.compile(rb"\r\ncontent-length[ \t]*:", re.IGNORECASE)
_CODING = re.compile(rb"\r\ntransfer-encoding[ \t]*:", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:[^\r\n]*chunked[ \t]*\r\n", re.IGNORECASE)
_EXPECTS = re.compile(rb"\r\nexpect:[ \t]*100-continue[ \t]*\r\n", re.IGNORECASE)
_TARGET = re.compile(rb"[^ \r\n]+ ([^ ?\r\n]*)")
_LONGEST_CHUNK_LINE = 256
_HEX = re.compile(rb"[0-9a-fA-F]{1,15}")


class HeadTooLarge(InvalidHeader):
    """The request's head is over the limit (RFC 6585 §5)."""

    status = 431


class _Framing(Protocol):
    done: bool

    def take(self, data: bytes) -> int:
        """How many of the bytes belong to the body. A RequestError if it can't be."""
        ...


class _Length:
    def __init__(self, length: int, most: int) -> None:
        if length > most:
            raise BodyTooLarge(f"the body has {length} bytes; the limit is {most}")
        self._left = length
        self.done = not length

    def take(self, data: bytes) -> int:
        taken = min(self._left, len(data))
        self._left -= taken
        self.done = not self._left
        return taken


class _Chunked:
    def __init__(self, most: int) -> None:
        self._most = most
        self._size = 0
        self._left = 0
        self._line = bytearray()
        self._trailing = False
        self.done = False

    def take(self, data: bytes) -> int:
        place = 0
        while place < len(data) and not self.done:
            if self._left:
                step = min(self._left, len(data) - place)
                self._left -= step
            else:
                step = self._take_line(data, place)
            place += step
        return place

    def _take_line(self, data: bytes, place: int) -> int:
        end = data.find(b"\n", place)
        step = (len(data) if end < 0 else end + 1) - place
        self._line += data[place : place + step]
        if len(self._line) > _LONGEST_CHUNK_LINE:
            raise InvalidBody("a chunk of the body has too long a line before it")
        if end >= 0:
            line, self._line = bytes(self._line), bytearray()
            self._end_line(line)
        return step

    def _end_line(self, line: bytes) -> None:
        if not line.endswith(b"\r\n"):
            raise InvalidBody("the chunks of the body are malformed")
        if self._trailing:
            self.done = line == b"\r\n"
            return
        size = line.partition(b";")[0].strip()
        if not _HEX.fullmatch(size):
            raise InvalidBody("the chunks of the body are malformed")
        self._begin_chunk(int(size, 16))

    def _begin_chunk(self, size: int) -> None:
        self._trailing = not size
        self._left = size + len(b"\r\n") if size else 0
        self._size += size
        if self._size > self._most:
            raise BodyTooLarge(f"the body has more than {self._most} bytes, the limit")


class Arrival:
    """One request. `surplus`: what came behind it. `received`: bytes, in all."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._head = bytearray()
        self._framing: _Framing | None = None
        self._kept: IO[bytes] | None = None
        self._memory = bytearray()
        self.surplus = b""
        self.received = 0
        self.path = ""
        self.refusal: RequestError | None = None

    @property
    def whole(self) -> bool:
        """Whether it has come to its end."""
        return self._framing is not None and self._framing.done

    @property
    def has_head(self) -> bool:
        """Whether its head has."""
        return self._framing is not None

    @property
    def wants_continue(self) -> bool:
        """Whether the client waits for leave to send the body (RFC 9110 §10.1.1)."""
        return self.has_head and not self.whole and _EXPECTS.search(self._head) is not None

    def add(self, data: bytes) -> None:
        """Take what came. `refusal` is set when nothing more of it will be."""
        self.received += len(data)
        try:
            self._add(data)
        except RequestError as error:
            self.refusal = error

    def take(self, size: int) -> bytes:
        """The next bytes of the whole request, none at its end."""
        if self._kept is not None:
            return self._kept.read(size)
        data = bytes(self._memory[:size])
        del self._memory[:size]
        return data

    def rewind(self) -> None:
        """From now on it is read."""
        if self._kept is not None:
            self._kept.seek(0)

    def close(self) -> None:
        """Let go of what was kept."""
        if self._kept is not None:
            self._kept.close()

    def _add(self, data: bytes) -> None:
        if self._framing is None:
            data = self._add_head(data)
        if self._framing is None:
            return
        taken = self._framing.take(data)
        self._keep(data[:taken])
        self.surplus += data[taken:]

    def _add_head(self, data: bytes) -> bytes:
        """What came behind the head."""
        begun = max(0, len(self._head) - len(_HEAD_END))
        self._head += data
        if begun == 0:
            self._head = self._head.lstrip(b"\r\n")
        end = self._head.find(_HEAD_END, begun)
        if end < 0 and len(self._head) <= LONGEST_HEAD:
            return b""
        target = _TARGET.match(self._head)
        self.path = target[1].decode("latin-1") if target else ""
        if end < 0 or end > LONGEST_HEAD:
            raise HeadTooLarge(f"the request's head has more than {LONGEST_HEAD} bytes")
        rest = bytes(self._head[end + len(_HEAD_END) :])
        del self._head[end + len(_HEAD_END) :]
        self._framing = _framing_of(bytes(self._head), self._most)
        self._keep(self._head)
        return rest

    def _keep(self, data: bytes | bytearray) -> None:
        if self._kept is None and len(self._memory) + len(data) > IN_MEMORY:
            self._kept = tempfile.TemporaryFile()  # noqa: SIM115  # `close` closes it
            self._kept.write(self._memory)
            self._memory.clear()
        if self._kept is None:
            self._memory += data
        else:
            self._kept.write(data)


def _framing_of(head: bytes, most: int) -> _Framing:
    lengths = _LENGTH.findall(head)
    named = len(_LENGTH_NAME.findall(head))
    if _CODING.search(head):
        chunked = not named and _CHUNKED.search(head)
        return _Chunked(most) if chunked else _Length(0, most)
    return _Length(int(lengths[0]), most) if named == len(lengths) == 1 else _Length(0, most)
