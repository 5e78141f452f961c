"""One HTTP/2 connection to a provider (RFC 9113): many requests side by side. Lives in a loop."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    DataReceived,
    Event,
    RemoteSettingsChanged,
    ResponseReceived,
    StreamEnded,
    StreamReset,
)
from h2.exceptions import FrameTooLargeError, NoAvailableStreamIDError, ProtocolError

from communication.errors import ConnectionFailed
from communication.http.client import Answer

Headers = Sequence[tuple[str, str]]

_MOST_BODY = 64 * 1024
"""Octets of an answer that are kept."""
_IDLE = 30.0
"""Seconds of silence after which a connection is asked whether it still stands."""
_PATIENCE = 2.0
_FRAME_HEADER, _GOAWAY = 9, 7
"""RFC 9113 §4.1, §6.8."""


class NotProcessed(Exception):
    """The server has not acted on the request: it may be sent again (RFC 9113 §8.7)."""


@dataclass(slots=True)
class Call:
    """One request. `sent`: all of it is on its way, so the server may have acted on it."""

    headers: Headers
    content: bytes
    sent: bool = False


@dataclass(slots=True)
class _Stream:
    call: Call
    answer: asyncio.Future[Answer]
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)

    def finish(self) -> None:
        if not self.answer.done():
            self.answer.set_result(Answer(self.status, self.headers, bytes(self.body)))

    def fail(self, error: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)
            self.answer.exception()  # whoever waited for it may be gone


class Http2Connection(asyncio.Protocol):
    """Made by `loop.create_connection`; usable once `settled` is done."""

    def __init__(self, peer: str) -> None:
        loop = asyncio.get_running_loop()
        self.settled: asyncio.Future[None] = loop.create_future()
        self.closed: asyncio.Future[None] = loop.create_future()
        self._peer = peer
        self._loop = loop
        self._h2 = H2Connection(H2Configuration(client_side=True, header_encoding=None))
        self._transport: asyncio.Transport | None = None
        self._streams: dict[int, _Stream] = {}
        self._received = bytearray()
        self._changed: asyncio.Future[None] = loop.create_future()
        self._heard = loop.time()
        self._takes_streams = True

    async def stands(self) -> bool:
        """Whether a new request can be made; a peer that was silent for long is asked."""
        heard = self._heard
        if self._takes_streams and self._loop.time() - heard > _IDLE:
            self._h2.ping(b"standing")
            self._flush()
            try:
                async with asyncio.timeout(_PATIENCE):
                    await self._until(lambda: self._heard > heard)
            except (TimeoutError, NotProcessed):
                self.abort()
        return self._takes_streams

    async def exchange(self, call: Call) -> Answer:
        """The answer. NotProcessed if the request can be made again on another connection.

        ConnectionFailed if the stream is reset or the connection lost.
        """
        began = self._loop.time()
        await self._until(self._has_room)
        stream_id = self._next_stream()
        stream = self._streams[stream_id] = _Stream(call, self._loop.create_future())
        try:
            self._h2.send_headers(stream_id, call.headers)
            await self._send_content(stream_id, stream)
            return await stream.answer
        except asyncio.CancelledError:
            if self._heard < began:
                self.abort()  # a dead connection would cost every request its whole time
            raise
        finally:
            self._end(stream_id, stream)

    def abort(self) -> None:
        """Close it at once; what is under way fails."""
        self._takes_streams = False
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the conversation."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  # what TCP gives
        self._transport = transport
        self._h2.initiate_connection()
        self._flush()

    def data_received(self, data: bytes) -> None:
        """Take in what the server sent, frame by frame."""
        self._heard = self._loop.time()
        self._received += data
        try:
            for frame in self._frames():
                if frame[3] == _GOAWAY:
                    self._go_away(frame)
                else:
                    for event in self._h2.receive_data(frame):
                        self._take(event)
        except ProtocolError:
            self._flush()
            self.abort()
            return
        self._flush()
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail what is under way."""
        self._takes_streams = False
        why = getattr(exc, "strerror", None) or "the server hung up"
        shared = False
        for stream in self._streams.values():
            if not stream.answer.done():
                sent = stream.call.sent
                stream.fail(ConnectionFailed(f"{self._peer}: {why}", sent=sent, shared=shared))
                shared = shared or sent
        if not self.settled.done():
            self.settled.set_exception(ConnectionFailed(f"{self._peer}: {why}", sent=False))
            self.settled.exception()
        self.closed.set_result(None)
        self._wake()

    def _frames(self) -> Iterator[bytes]:
        """Whole frames. h2 itself ends a connection at the first GOAWAY, answers or not."""
        while len(self._received) >= _FRAME_HEADER:
            length = int.from_bytes(self._received[:3])
            if length > self._h2.max_inbound_frame_size:
                # Not once it is there: until then the answers that follow would be swallowed.
                raise FrameTooLargeError("a frame larger than we allow")
            size = _FRAME_HEADER + length
            if len(self._received) < size:
                return
            frame = bytes(self._received[:size])
            del self._received[:size]
            yield frame

    def _take(self, event: Event) -> None:
        if isinstance(event, RemoteSettingsChanged) and not self.settled.done():
            self.settled.set_result(None)
        stream = self._streams.get(getattr(event, "stream_id", None) or 0)
        if isinstance(event, DataReceived):
            self._h2.acknowledge_received_data(
                event.flow_controlled_length or 0, event.stream_id or 0
            )
        if stream is None:
            return
        if isinstance(event, ResponseReceived):
            found = {_text(name): _text(value) for name, value in event.headers or ()}
            stream.status = int(found.pop(":status"))
            stream.headers = found
        elif isinstance(event, DataReceived):
            stream.body += (event.data or b"")[: _MOST_BODY - len(stream.body)]
        elif isinstance(event, StreamEnded):
            stream.finish()
        elif isinstance(event, StreamReset):
            self._reset(stream, event)

    def _reset(self, stream: _Stream, event: StreamReset) -> None:
        if event.error_code == ErrorCodes.REFUSED_STREAM:
            stream.fail(NotProcessed())
        elif event.error_code == ErrorCodes.NO_ERROR and stream.status:
            stream.finish()  # an answer that did not wait for the whole request
        else:
            reason = f"{self._peer}: the stream was reset ({event.error_code!r})"
            stream.fail(ConnectionFailed(reason, sent=True))

    def _go_away(self, frame: bytes) -> None:
        """The server answers the streams up to the last that it names, and takes no more."""
        self._takes_streams = False
        last = int.from_bytes(frame[_FRAME_HEADER : _FRAME_HEADER + 4]) & 0x7FFF_FFFF
        for stream_id, stream in self._streams.items():
            if stream_id > last:
                stream.fail(NotProcessed())
        self._close_when_done()

    def _close_when_done(self) -> None:
        done = all(stream.answer.done() for stream in self._streams.values())
        if not self._takes_streams and done and self._transport is not None:
            self._transport.close()

    def _has_room(self) -> bool:
        return self._h2.open_outbound_streams < self._h2.remote_settings.max_concurrent_streams

    def _next_stream(self) -> int:
        try:
            return self._h2.get_next_available_stream_id()
        except NoAvailableStreamIDError:
            self._takes_streams = False
            raise NotProcessed from None

    async def _send_content(self, stream_id: int, stream: _Stream) -> None:
        """In as many pieces as the server has room for."""
        left = stream.call.content
        while not stream.answer.done():
            window = self._h2.local_flow_control_window(stream_id)
            size = min(max(window, 0), self._h2.max_outbound_frame_size)
            chunk, left = left[:size], left[size:]
            if chunk or not left:
                self._h2.send_data(stream_id, chunk, end_stream=not left)
            stream.call.sent = not left
            self._flush()
            if not left:
                return
            await self._change()

    def _end(self, stream_id: int, stream: _Stream) -> None:
        del self._streams[stream_id]
        if not stream.answer.done():
            stream.answer.cancel()
            # It may have ended on the wire just now.
            with suppress(ProtocolError):
                self._h2.reset_stream(stream_id, ErrorCodes.CANCEL)
            self._flush()
        self._close_when_done()
        self._wake()

    async def _until(self, ready: Callable[[], bool]) -> None:
        while self._takes_streams and not ready():
            await self._change()
        if not self._takes_streams:
            raise NotProcessed

    async def _change(self) -> None:
        await asyncio.shield(self._changed)

    def _wake(self) -> None:
        """Have those look again who wait for room, for a window or for a sign of life."""
        changed, self._changed = self._changed, self._loop.create_future()
        changed.set_result(None)

    def _flush(self) -> None:
        data = self._h2.data_to_send()
        if data and self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)


def _text(octets: bytes) -> str:
    return octets.decode("latin-1")
