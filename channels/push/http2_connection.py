"""One HTTP/2 connection to a provider (RFC 9113): many requests side by side. Lives in a loop."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

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
from h2.exceptions import NoAvailableStreamIDError, ProtocolError

from channels.push.http2_frames import Frames, GoAway
from channels.push.http2_stream import Call, NotProcessed, Stream
from communication.errors import ConnectionFailed
from communication.http.client import Answer

_MOST_BODY = 64 * 1024
"""Octets of an answer that are kept."""
_IDLE = 30.0
"""Seconds of silence after which a connection is asked whether it still stands."""
_PATIENCE = 2.0
_NO_LIMIT = 1 << 31


class Http2Connection(asyncio.Protocol):
    """Made by `loop.create_connection`; usable once `settled` is done."""

    def __init__(
        self, peer: str, on_served: Callable[[], None], *, careful: bool, most: int | None
    ) -> None:
        """`on_served` is told whenever the server has taken or answered a request.

        `careful`: it begins with a single request at a time, and has one more with each answer.
        `most`: so many requests are made in all.
        """
        loop = asyncio.get_running_loop()
        self.settled: asyncio.Future[None] = loop.create_future()
        self.closed: asyncio.Future[None] = loop.create_future()
        self.broke_off = False
        """Whether requests were left without an answer when it ended."""
        self.answered = 0
        self._left = most
        self._on_served = on_served
        self._room = 1 if careful else _NO_LIMIT
        self._too_fast = False
        self._peer = peer
        self._loop = loop
        self._h2 = H2Connection(H2Configuration(client_side=True, header_encoding=None))
        self._transport: asyncio.Transport | None = None
        self._streams: dict[int, Stream] = {}
        self._frames = Frames()
        self._changed: asyncio.Future[None] = loop.create_future()
        self._heard = loop.time()
        self._takes_streams = True
        self._is_dead = False

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

    async def has_room(self) -> None:
        """Return when a request can be made at once."""
        await self._until(self._has_room)

    async def exchange(self, call: Call) -> Answer:
        """The answer, to be asked for as soon as there is room.

        NotProcessed if the request can be made again on another connection, ConnectionFailed
        if the stream is reset or the connection lost.
        """
        began = self._loop.time()
        stream_id = self._next_stream()
        stream = self._streams[stream_id] = Stream(call, self._loop.create_future())
        try:
            self._h2.send_headers(stream_id, call.headers)
            await self._send_content(stream_id, stream)
            return await stream.answer
        except asyncio.CancelledError:
            if self._heard < began:
                self._is_dead = True
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
        try:
            for frame in self._frames.feed(data, self._h2.max_inbound_frame_size):
                # h2 itself ends a connection at the first GOAWAY, answers or not.
                if goaway := GoAway.of(frame):
                    self._go_away(goaway)
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
                self.broke_off = self.broke_off or sent
                stream.fail(ConnectionFailed(f"{self._peer}: {why}", sent=sent, shared=shared))
                # One that is given up has failed each of those that waited for it.
                shared = (shared or sent) and not self._is_dead
        if not self.settled.done():
            self.settled.set_exception(ConnectionFailed(f"{self._peer}: {why}", sent=False))
            self.settled.exception()
        self.closed.set_result(None)
        self._wake()

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
            self._on_served()
            found = {_text(name): _text(value) for name, value in event.headers or ()}
            stream.status = int(found.pop(":status"))
            stream.headers = found
        elif isinstance(event, DataReceived):
            stream.body += (event.data or b"")[: _MOST_BODY - len(stream.body)]
        elif isinstance(event, StreamEnded):
            self._room += 1
            self.answered += 1
            stream.finish()
        elif isinstance(event, StreamReset):
            self._reset(stream, event)

    def _reset(self, stream: Stream, event: StreamReset) -> None:
        if event.error_code == ErrorCodes.REFUSED_STREAM:
            self._give_way()
            stream.fail(NotProcessed())
        elif event.error_code == ErrorCodes.NO_ERROR and stream.status:
            stream.finish()  # an answer that did not wait for the whole request
        else:
            reason = f"{self._peer}: the stream was reset ({event.error_code!r})"
            stream.fail(ConnectionFailed(reason, sent=True))

    def _go_away(self, goaway: GoAway) -> None:
        """The server answers the streams up to the last that it names, and takes no more."""
        self._takes_streams = False
        self._too_fast = goaway.too_fast
        if any(stream_id <= goaway.last for stream_id in self._streams):
            self._on_served()
        for stream_id, stream in self._streams.items():
            if stream_id > goaway.last:
                stream.fail(NotProcessed(too_fast=goaway.too_fast))
        self._close_when_done()

    def _close_when_done(self) -> None:
        done = all(stream.answer.done() for stream in self._streams.values())
        if not self._takes_streams and done:
            # To close it in good order is to wait for the server, which says nothing more.
            self.abort()

    def _give_way(self) -> None:
        """Ask for one less at a time."""
        known = self._room < _NO_LIMIT
        self._room = max(1, self._room - 1 if known else self._h2.open_outbound_streams)

    def _has_room(self) -> bool:
        most = min(self._room, self._h2.remote_settings.max_concurrent_streams)
        return self._h2.open_outbound_streams < most

    def _next_stream(self) -> int:
        if self._left is not None:
            self._left -= 1
            self._takes_streams = self._left > 0
        try:
            return self._h2.get_next_available_stream_id()
        except NoAvailableStreamIDError:
            self._takes_streams = False
            raise NotProcessed from None

    async def _send_content(self, stream_id: int, stream: Stream) -> None:
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

    def _end(self, stream_id: int, stream: Stream) -> None:
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
            raise NotProcessed(too_fast=self._too_fast)

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
