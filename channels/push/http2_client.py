"""HTTP/2 with one provider, for threads: over one connection, made anew when it ends.

The client of communication.http.client speaks HTTP/1.1 alone, which APNs does not.
"""

import asyncio
import os
import ssl
import threading
from concurrent.futures import CancelledError, Future
from contextlib import ExitStack

from channels.push.http2_connection import Call, Headers, Http2Connection, NotProcessed
from communication.errors import ConnectionFailed, TimedOut
from communication.http.client import Answer

_PAUSES = (0.0, 0.0, 0.0, 0.05, 0.1, 0.2, 0.4)
"""Seconds before a request is made again, and again, that the server has not acted on."""
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
        self._connecting = asyncio.Lock()
        self._connection: Http2Connection | None = None
        self._open: set[Http2Connection] = set()

    def request(
        self, method: str, path: str, *, headers: Headers, content: bytes, timeout: float
    ) -> Answer:
        """The answer, whatever its status, within so many seconds.

        TimedOut and ConnectionFailed tell by `sent` whether the server may have acted on it.
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
        async with asyncio.timeout(seconds):
            for pause in (*_PAUSES, None):
                connection = await self._standing()
                try:
                    return await connection.exchange(call)
                except NotProcessed:
                    call.sent = False
                if pause:
                    await asyncio.sleep(pause)
        raise ConnectionFailed(f"{self._host}: it takes no requests now", sent=False)

    async def _standing(self) -> Http2Connection:
        async with self._connecting:
            if self._connection is None or not await self._connection.stands():
                self._connection = await self._connect()
            return self._connection

    async def _connect(self) -> Http2Connection:
        loop = asyncio.get_running_loop()
        try:
            transport, connection = await loop.create_connection(
                lambda: Http2Connection(self._host), self._host, self._port, ssl=self._tls
            )
        except OSError as error:
            raise ConnectionFailed(f"{self._host}: {_why(error)}", sent=False) from error
        self._open.add(connection)
        connection.closed.add_done_callback(lambda _: self._open.discard(connection))
        with ExitStack() as undo:
            undo.callback(connection.abort)
            if transport.get_extra_info("ssl_object").selected_alpn_protocol() != "h2":
                raise ConnectionFailed(f"{self._host}: it speaks no HTTP/2", sent=False)
            await connection.settled
            undo.pop_all()
        return connection

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
