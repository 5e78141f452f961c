"""The one HTTP client (HTTP/1.1). Shared by threads; keeps connections; follows no redirect."""

import re
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from http.client import HTTPException, HTTPResponse, IncompleteRead

from communication.errors import ConnectionFailed, HttpError, Refused, TimedOut
from communication.http.connection import Connection, bound, tls_context
from communication.http.guard import Guard
from communication.http.pool import Pool
from communication.http.url import Target, parse_url

__all__ = ["Answer", "ConnectionFailed", "Guard", "HttpClient", "HttpError", "Refused", "TimedOut"]

_AROUND = 256 * 1024
"""Bytes that may come beside an answer's body, and as many again as that may have."""
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a peer answered. Names of headers are lower-case; repeated ones are joined by comma.

    `whole` is False where the body went on beyond the client's `max_body`. The body is as it
    was sent: a Content-Encoding is not undone.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    whole: bool = True


class HttpClient:
    """Makes requests to what the guard lets through; None for URLs that the operator set.

    `timeout`: seconds for a whole request, from the look-up of the name to the last byte of
    the answer. `connections_per_host`: how many are kept open when idle. `max_body`: bytes
    of an answer that are read. `tls`: for peers that the system does not trust.
    """

    def __init__(
        self,
        guard: Guard | None,
        *,
        timeout: float = 10.0,
        connections_per_host: int = 16,
        max_body: int = 1024 * 1024,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._guard = guard
        self._timeout = timeout
        self._max_body = max_body
        self._given_tls = tls
        self._pool = Pool(connections_per_host)

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        timeout: float | None = None,
    ) -> Answer:
        """The answer, whatever its status.

        Refused: the URL or a header is not allowed, and nothing was sent. TimedOut and
        ConnectionFailed tell by `sent` whether the peer may have got the request.
        """
        target = parse_url(url)
        _check(method, headers or {})
        deadline = time.monotonic() + (self._timeout if timeout is None else timeout)
        own = {"Host": target.origin.host_header, "User-Agent": "Tidings"}
        connection = self._connection(target, deadline)
        try:
            answer = self._exchange(connection, method, target, own | dict(headers or {}), content)
        except TimeoutError as error:
            raise TimedOut(_why(target, "no answer in time"), sent=connection.begun) from error
        except (HTTPException, OSError, ValueError) as error:
            raise ConnectionFailed(_why(target, _fault(error)), sent=connection.begun) from error
        finally:
            self._pool.give_back(connection)
        return answer

    def close(self) -> None:
        """Close what is kept open."""
        self._pool.close()

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return bound(self._given_tls or tls_context())  # the system's certificates take a while

    def _connection(self, target: Target, deadline: float) -> Connection:
        connection = self._pool.take(target.origin)
        if connection is None:
            tls = self._tls if target.origin.scheme == "https" else None
            connection = Connection(target.origin, self._guard, tls)
            try:
                connection.open(deadline)
            except TimeoutError as error:
                raise TimedOut(_why(target, "no connection in time"), sent=False) from error
            except OSError as error:
                raise ConnectionFailed(_why(target, _fault(error)), sent=False) from error
        connection.begun = False
        connection.reusable = False
        connection.set_bounds(deadline, 2 * self._max_body + _AROUND)
        return connection

    def _exchange(
        self,
        connection: Connection,
        method: str,
        target: Target,
        headers: Mapping[str, str],
        content: bytes | None,
    ) -> Answer:
        connection.request(method, target.path, body=content, headers=headers)
        connection.flush()
        response = connection.getresponse()
        body = response.read(self._max_body + 1)
        whole = len(body) <= self._max_body
        if whole and response.length:
            raise IncompleteRead(body, response.length)
        connection.reusable = whole and response.isclosed() and not response.will_close
        return Answer(response.status, _headers(response), body[: self._max_body], whole)


def _headers(response: HTTPResponse) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in response.getheaders():
        key = name.lower()
        found[key] = f"{found[key]}, {value}" if key in found else value
    return found


def _check(method: str, headers: Mapping[str, str]) -> None:
    if not _TOKEN.fullmatch(method):
        raise Refused("the method is no HTTP token")
    for name, value in headers.items():
        if not _TOKEN.fullmatch(name):
            raise Refused("the name of a header is no HTTP token")
        if not _VALUE.fullmatch(value):
            raise Refused(f"the header {name} has characters that a header must not have")


def _fault(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__


def _why(target: Target, what: str) -> str:
    return f"{target.origin.host}: {what}"
