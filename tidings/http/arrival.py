"""Requests as they come in: bytes are gathered until one is whole, and only then handled.

Framing follows RFC 9112 §6 just so far as to know where a request ends. A malformed head is
handed on as it is: gunicorn's parser says what is wrong with it, and can't read beyond it.
"""

import re
import tempfile
from typing import IO, Protocol

from communication.errors import BodyTooLarge, InvalidBody, InvalidHeader, RequestError

LONGEST_HEAD = 32 * 1024
IN_MEMORY = 256 * 1024
"""Bytes of one request that are kept in memory; a larger one is kept in a file."""
MOST_IN_MEMORY = 64 * 1024 * 1024
"""Bytes of all of them that are; beyond, small ones are kept in files too."""
_HEAD_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,100})[ \t]*(?=\r\n)", re.IGNORECASE)
_LENGTH_NAME = re.compile(rb"\r\ncontent-length[ \t]*:", re.IGNORECASE)
_CODING = re.compile(rb"\r\ntransfer-encoding[ \t]*:", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:[^\r\n]*chunked[ \t]*\r\n", re.IGNORECASE)
_EXPECTS = re.compile(rb"\r\nexpect:[ \t]*100-continue[ \t]*\r\n", re.IGNORECASE)
_TARGET = re.compile(rb"([^ \r\n]+) ([^ ?\r\n]*)")
_LONGEST_LINE = 256
_LONGEST_TRAILERS = 8 * 1024
_MOST_CHUNKS = 10_000
_SMALL_CHUNK = 64
"""Each chunk costs the loop as much as a kilobyte does: beyond so many, they can't all be small."""
_LAST_CHUNK = b"0\r\n\r\n"
_TEXT = rb"[\t\x20-\x7e\x80-\xff]*"
_CHUNK = re.compile(rb"([0-9a-fA-F]{1,15})(?:[ \t]*;" + _TEXT + rb")?\r\n")
_TRAILER = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+:" + _TEXT + rb"\r\n")


class HeadTooLarge(InvalidHeader):
    """The request's head is over the limit (RFC 6585 §5)."""

    status = 431


class _Framing(Protocol):
    done: bool

    def take(self, data: bytes) -> tuple[int, bytes]:
        """How many of the bytes belong to the body, and what of it to keep.

        A RequestError if it can't be.
        """
        ...


class _Length:
    def __init__(self, length: int, most: int) -> None:
        if length > most:
            raise BodyTooLarge(f"the body has {length} bytes; the limit is {most}")
        self._left = length
        self.done = not length

    def take(self, data: bytes) -> tuple[int, bytes]:
        kept = data[: self._left]
        self._left -= len(kept)
        self.done = not self._left
        return len(kept), kept


class _Chunked:
    """RFC 9112 §7.1. What is kept is framed anew, in chunks as large as what came at once.

    Of extensions and trailers, which mean nothing here, nothing is kept.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._size = 0
        self._chunks = 0
        self._left = 0
        self._line = b""
        self._end_line = self._begin_chunk
        self._trailers = 0
        self.done = False

    def take(self, data: bytes) -> tuple[int, bytes]:
        place, pieces, began = 0, [], self.done
        while place < len(data) and not self.done:
            if self._left:
                piece = data[place : place + self._left]
                self._left -= len(piece)
                place += len(piece)
                pieces.append(piece)
            else:
                place = self._take_line(data, place)
        body = b"".join(pieces)
        kept = b"%x\r\n%s\r\n" % (len(body), body) if body else b""
        return place, kept + (_LAST_CHUNK if self.done and not began else b"")

    def _take_line(self, data: bytes, place: int) -> int:
        end = data.find(b"\n", place) + 1
        line = self._line + data[place : end or len(data)]
        if len(line) > _LONGEST_LINE:
            raise InvalidBody("the chunks of the body have too long a line between them")
        self._line = b"" if end else line
        if end:
            self._end_line(line)
        return end or len(data)

    def _begin_chunk(self, line: bytes) -> None:
        found = _CHUNK.fullmatch(line)
        if found is None:
            raise InvalidBody("the chunks of the body are malformed")
        self._left = int(found[1], 16)
        self._size += self._left
        self._chunks += 1
        if self._size > self._most:
            raise BodyTooLarge(f"the body has more than {self._most} bytes, the limit")
        if self._chunks > _MOST_CHUNKS + self._size // _SMALL_CHUNK:
            raise InvalidBody(f"the body has too many chunks of less than {_SMALL_CHUNK} bytes")
        self._end_line = self._end_chunk if self._left else self._pass_trailer

    def _end_chunk(self, line: bytes) -> None:
        if line != b"\r\n":
            raise InvalidBody("the chunks of the body are malformed")
        self._end_line = self._begin_chunk

    def _pass_trailer(self, line: bytes) -> None:
        self.done = line == b"\r\n"
        self._trailers += len(line)
        if not self.done and not _TRAILER.fullmatch(line):
            raise InvalidBody("the trailers of the body are malformed")
        if self._trailers > _LONGEST_TRAILERS:
            raise InvalidBody("the body has too many trailers")


class Room:
    """What all requests together take that come in, or are handled: bytes."""

    def __init__(self) -> None:
        self.in_memory = 0
        self.taken = 0


class Arrival:
    """One request. `surplus`: what came behind it. `received`: bytes, in all."""

    def __init__(self, most: int, room: Room, *, longest_head: int = LONGEST_HEAD) -> None:
        self._most = most
        self._longest_head = longest_head
        self._room = room
        self._taken = self._in_memory = 0
        self._head = bytearray()
        self._framing: _Framing | None = None
        self._kept: IO[bytes] | None = None
        self._memory = bytearray()
        self.surplus = b""
        self.received = 0
        self.method = self.path = ""
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
        self._room.taken -= self._taken
        self._room.in_memory -= self._in_memory
        self._taken = self._in_memory = 0
        self._memory = bytearray()
        if self._kept is not None:
            self._kept.close()

    def _add(self, data: bytes) -> None:
        if self._framing is None:
            data = self._add_head(data)
        if self._framing is None:
            return
        taken, kept = self._framing.take(data)
        self._keep(kept)
        self.surplus += data[taken:]

    def _add_head(self, data: bytes) -> bytes:
        """What came behind the head."""
        begun = max(0, len(self._head) - len(_HEAD_END))
        self._head += data
        if begun == 0:
            self._head = self._head.lstrip(b"\r\n")
        end = self._head.find(_HEAD_END, begun)
        if end < 0 and len(self._head) <= self._longest_head:
            return b""
        target = _TARGET.match(self._head)
        if target:
            self.method, self.path = target[1].decode("latin-1"), target[2].decode("latin-1")
        if end < 0 or end > self._longest_head:
            raise HeadTooLarge(f"the request's head has more than {self._longest_head} bytes")
        rest = bytes(self._head[end + len(_HEAD_END) :])
        del self._head[end + len(_HEAD_END) :]
        self._framing = _framing_of(bytes(self._head), self._most)
        self._keep(self._head)
        return rest

    def _keep(self, data: bytes | bytearray) -> None:
        self._taken += len(data)
        self._room.taken += len(data)
        if self._kept is None and self._fits(len(data)):
            self._memory += data
            self._in_memory += len(data)
            self._room.in_memory += len(data)
            return
        if self._kept is None:
            self._kept = tempfile.TemporaryFile()  # noqa: SIM115  # `close` closes it
            self._kept.write(self._memory)
            self._memory.clear()
            self._room.in_memory -= self._in_memory
            self._in_memory = 0
        self._kept.write(data)

    def _fits(self, size: int) -> bool:
        return self._in_memory + size <= IN_MEMORY and self._room.in_memory + size <= MOST_IN_MEMORY


def _framing_of(head: bytes, most: int) -> _Framing:
    lengths = _LENGTH.findall(head)
    named = len(_LENGTH_NAME.findall(head))
    if _CODING.search(head):
        chunked = not named and _CHUNKED.search(head)
        return _Chunked(most) if chunked else _Length(0, most)
    return _Length(int(lengths[0]), most) if named == len(lengths) == 1 else _Length(0, most)
