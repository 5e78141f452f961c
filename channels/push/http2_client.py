"""HTTP/2 with one provider, for threads: over one connection, made anew when it ends.

The client of communication.http.client speaks HTTP/1.1 alone, which APNs does not.
"""

import asyncio
import os
import ssl
import threading
from concurrent.futures import CancelledError, Future
from contextlib import ExitStack
from itertools import count

from channels.errors import NotTaken, RateReached
from channels.push.http2_connection import Http2Connection
from channels.push.http2_stream import Call, Headers, NotProcessed
from channels.push.line import Line
from communication.errors import ConnectionFailed, TimedOut
from communication.http.client import Answer

_PAUSES = (0.0, 0.0, 0.0, 0.05, 0.1, 0.2, 0.4)
"""Seconds before a request is made again, and again, while the server acts on none at all."""
_START_WITHIN = 3.0
"""Seconds for which a request waits for its turn while the server acts on others. Less than
what the breaker calls slow: it is no slow provider that allows few requests at a time."""
_AGAIN, _LATER = 1.0, 5.0
"""Seconds until a message comes again that had no turn; that the server acts on none for."""
_REMEMBERED = 60.0
"""Seconds for which it is kept to what a server takes on one connection."""
_CLOSING_TIME = 1.0


class Http2Client:
    """Requests to one host. The loop that makes them runs in a thread of its own."""

    def __init__(self, host: str, port: int, tls: ssl.SSLContext) -> None:
        tls.set_alpn_protocols(["h2"])
        self._host = host
        self._port = port
        self._tls = tls
        self._authority = host if port == 443 else f"{host}:{port}"  # noqa: PLR2004  # https
        self._lock = threading.Lock()
        self._closed = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._line = Line()
        self._tickets = count()
        self._connection: Http2Connection | None = None
        self._open: set[Http2Connection] = set()
        self._served = self._left_out = 0
        self._is_careful = False
        self._broke_after = 0
        self._most: int | None = None
        self._most_until = 0.0

    def request(
        self, method: str, path: str, *, headers: Headers, content: bytes, timeout: float
    ) -> Answer:
        """The answer, whatever its status, within so many seconds.

        TimedOut and ConnectionFailed tell by `sent` whether the server may have acted on it.
        NotTaken and RateReached: it was reached, and has not.
        """
        named = [
            (":method", method),
            (":scheme", "https"),
            (":authority", self._authority),
            (":path", path),
            *headers,
        ]
        call = Call(named, content)
        try:
            return self._begin(call, timeout).result()
        except TimeoutError as error:
            raise TimedOut(f"{self._host}: no answer in time", sent=call.sent) from error
        except CancelledError as error:
            raise ConnectionFailed("the channel is closed", sent=call.sent) from error

    def close(self) -> None:
        """Close the connection; what is under way fails."""
        with self._lock:
            self._closed = True
            loop, self._loop = self._loop, None
        if loop is None:
            return
        asyncio.run_coroutine_threadsafe(self._end_all(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        if self._thread is not None:
            self._thread.join()
        loop.close()

    def _begin(self, call: Call, timeout: float) -> "Future[Answer]":
        with self._lock:
            if self._closed:
                raise ConnectionFailed("the channel is closed", sent=False)
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(
                    target=self._loop.run_forever, name="http2", daemon=True
                )
                self._thread.start()
            return asyncio.run_coroutine_threadsafe(self._request(call, timeout), self._loop)

    async def _request(self, call: Call, seconds: float) -> Answer:
        served, left_out = self._served, self._left_out
        try:
            async with asyncio.timeout(seconds):
                return await self._exchange(call, min(_START_WITHIN, seconds))
        except TimeoutError as error:
            if call.sent:
                raise
            if self._served != served:
                reason = f"{self._host}: it takes no more at a time"
                raise RateReached(reason, retry_after=_AGAIN) from error
            if self._left_out != left_out:
                raise self._takes_none() from error
            raise

    async def _exchange(self, call: Call, start_within: float) -> Answer:
        """As often as the server does not act on it, but acts on others."""
        start_by = asyncio.get_running_loop().time() + start_within
        served, fruitless, ticket = self._served, 0, next(self._tickets)
        while fruitless <= len(_PAUSES):
            known = self._served
            try:
                connection = await self._with_room(ticket, start_by, served)
                return await connection.exchange(call)
            except NotProcessed as error:
                call.sent = False
                self._left_out += 1
                if error.too_fast:
                    reason = f"{self._host}: it is asked too fast"
                    raise NotTaken(reason, retry_after=_AGAIN, too_fast=True) from error
            fruitless = 0 if self._served != known else fruitless + 1
            await asyncio.sleep((0.0, *_PAUSES)[min(fruitless, len(_PAUSES))])
        raise self._takes_none()

    def _takes_none(self) -> NotTaken:
        return NotTaken(f"{self._host}: it takes no requests now", retry_after=_LATER)

    async def _with_room(self, ticket: int, start_by: float, served: int) -> Http2Connection:
        """A connection that takes a request at once.

        TimeoutError if there is none by then, though the server has acted on others.
        """
        for limit in (start_by, None):
            try:
                async with asyncio.timeout_at(limit) as patience, self._line.turn(ticket):
                    connection = await self._standing(patience)
                    await connection.has_room()
                    return connection
            except TimeoutError:
                if self._served != served:
                    raise
        raise AssertionError  # without a limit there is no such error

    async def _standing(self, patience: asyncio.Timeout) -> Http2Connection:
        if self._connection is None or not await self._connection.stands():
            start_by = patience.when()
            patience.reschedule(None)  # to connect takes the time that it takes
            self._connection = await self._connect()
            patience.reschedule(start_by)
        return self._connection

    async def _connect(self) -> Http2Connection:
        loop = asyncio.get_running_loop()
        try:
            transport, connection = await loop.create_connection(
                self._new, self._host, self._port, ssl=self._tls
            )
        except OSError as error:
            raise ConnectionFailed(f"{self._host}: {_why(error)}", sent=False) from error
        self._open.add(connection)
        connection.closed.add_done_callback(lambda _: self._ended(connection))
        with ExitStack() as undo:
            undo.callback(connection.abort)
            if transport.get_extra_info("ssl_object").selected_alpn_protocol() != "h2":
                raise ConnectionFailed(f"{self._host}: it speaks no HTTP/2", sent=False)
            await connection.settled
            undo.pop_all()
        return connection

    def _new(self) -> Http2Connection:
        known = asyncio.get_running_loop().time() < self._most_until
        return Http2Connection(
            self._host,
            self._on_served,
            careful=self._is_careful,
            most=self._most if known else None,
        )

    def _on_served(self) -> None:
        self._served += 1

    def _ended(self, connection: Http2Connection) -> None:
        """Learn of one that left requests without an answer; of two, how many it answers."""
        self._open.discard(connection)
        self._is_careful = connection.broke_off
        if not connection.broke_off:
            return
        if connection.answered and connection.answered == self._broke_after:
            self._most = connection.answered
            self._most_until = asyncio.get_running_loop().time() + _REMEMBERED
        self._broke_after = connection.answered

    async def _end_all(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        for connection in self._open:
            connection.abort()
        if self._open:
            await asyncio.wait([one.closed for one in self._open], timeout=_CLOSING_TIME)
        await asyncio.get_running_loop().shutdown_default_executor()


def _why(error: OSError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    # asyncio's own words repeat the address.
    return os.strerror(error.errno) if error.errno else type(error).__name__
