"""HTTP/2 frames told apart, as far as h2 does not do it as is needed (RFC 9113 §4.1, §6.8)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from h2.errors import ErrorCodes
from h2.exceptions import FrameTooLargeError

_HEADER = 9
_GOAWAY = 7
_LARGEST_STREAM_ID = 0x7FFF_FFFF


@dataclass(frozen=True, slots=True)
class GoAway:
    """The server takes no streams above `last`. `too_fast`: it was asked for too much."""

    last: int
    too_fast: bool

    @classmethod
    def of(cls, frame: bytes) -> Self | None:
        """From a whole frame; None if it is another."""
        if frame[3] != _GOAWAY:
            return None
        last, code = (int.from_bytes(frame[at : at + 4]) for at in (_HEADER, _HEADER + 4))
        return cls(last & _LARGEST_STREAM_ID, code == ErrorCodes.ENHANCE_YOUR_CALM)


class Frames:
    """What has come of a connection's octets, frame by frame."""

    def __init__(self) -> None:
        self._received = bytearray()

    def feed(self, data: bytes, largest: int) -> Iterator[bytes]:
        """The frames that are whole now. FrameTooLargeError for one above `largest` octets."""
        self._received += data
        while len(self._received) >= _HEADER:
            length = int.from_bytes(self._received[:3])
            if length > largest:
                # Not once it is there: until then the answers that follow would be swallowed.
                raise FrameTooLargeError("a frame larger than we allow")
            size = _HEADER + length
            if len(self._received) < size:
                return
            frame = bytes(self._received[:size])
            del self._received[:size]
            yield frame
