"""Attachments that are fetched from the URL that the client gave."""

import re
from collections import OrderedDict
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Lock
from time import monotonic
from urllib.parse import unquote, urlsplit

from communication.errors import (
    DeliveryError,
    HttpError,
    PermanentDeliveryError,
    Refused,
    TransientDeliveryError,
)
from communication.http.client import Answer, Guard, HttpClient
from communication.settings import Settings

KEPT = 60.0
"""Seconds that a fetched file is kept: the receivers of a message share one look-up."""
MOST_KEPT = 64 * 1024 * 1024
"""Octets of all that is kept."""
_PATIENCE = 10.0
_OK = 200
_LATER = frozenset((408, 425, 429, 500, 502, 503, 504))
_MIME_TYPE = re.compile(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file, and what its server calls it; `mime_type` is empty where it doesn't tell."""

    content: bytes
    name: str
    mime_type: str


class Fetcher:
    """Fetches what the guard lets through. Shared by threads; one look-up serves all who wait."""

    def __init__(self, http: HttpClient) -> None:
        self._http = http
        self._lock = Lock()
        self._kept: OrderedDict[tuple[str, str], tuple[float, Future[Fetched]]] = OrderedDict()

    def fetch(self, tenant: str, url: str) -> Fetched:
        """The file at the URL. PermanentDeliveryError or TransientDeliveryError if there is none.

        What is kept is the tenant's own.
        """
        future, is_mine = self._enter((tenant, url))
        if is_mine:
            self._settle(future, (tenant, url))
        return future.result()

    def close(self) -> None:
        """Let go of connections."""
        self._http.close()

    def _enter(self, key: tuple[str, str]) -> tuple["Future[Fetched]", bool]:
        moment = monotonic()
        with self._lock:
            while self._kept and next(iter(self._kept.values()))[0] <= moment:
                self._kept.popitem(last=False)
            known = self._kept.get(key)
            if known is not None:
                return known[1], False
            future: Future[Fetched] = Future()
            self._kept[key] = (moment + KEPT, future)
            return future, True

    def _settle(self, future: "Future[Fetched]", key: tuple[str, str]) -> None:
        try:
            future.set_result(self._get(key[1]))
        except BaseException as error:  # noqa: BLE001  # those who wait for it get it too
            future.set_exception(error)
        with self._lock:
            if future.exception() is not None:
                self._kept.pop(key, None)
            while self._size() > MOST_KEPT:
                self._kept.popitem(last=False)

    def _size(self) -> int:
        done = (future for _, future in self._kept.values() if future.done())
        return sum(len(one.result().content) for one in done if one.exception() is None)

    def _get(self, url: str) -> Fetched:
        try:
            answer = self._http.request("GET", url, headers={"Accept": "*/*"})
        except Refused as error:
            raise PermanentDeliveryError(f"attachment {shown(url)}: {error.reason}") from error
        except HttpError as error:
            raise TransientDeliveryError(f"attachment {shown(url)}: {error.reason}") from error
        fault = _fault(url, answer)
        if fault is not None:
            raise fault
        name = unquote(urlsplit(url).path.rpartition("/")[2])
        mime_type = _MIME_TYPE.match(answer.headers.get("content-type", ""))
        return Fetched(answer.body, name, mime_type[0] if mime_type else "")


def open_fetcher(settings: Settings) -> Fetcher:
    """A fetcher that is guarded as the settings say."""
    return Fetcher(
        HttpClient(
            Guard.of(settings.callback_allow),
            timeout=min(_PATIENCE, settings.lease / 3),
            connections_per_host=4,
            max_body=settings.max_attachment,
        )
    )


def shown(url: str) -> str:
    """A URL without its query, which may be what gives access to the file."""
    return repr(url.partition("?")[0])


def _fault(url: str, answer: Answer) -> DeliveryError | None:
    where = f"attachment {shown(url)}"
    if answer.status in _LATER:
        return TransientDeliveryError(f"{where}: its server answered {answer.status}")
    if answer.status != _OK:
        return PermanentDeliveryError(f"{where}: its server answered {answer.status}")
    if not answer.whole:
        return PermanentDeliveryError(f"{where}: it is larger than {len(answer.body)} octets")
    if answer.headers.get("content-encoding", "identity") != "identity":
        return PermanentDeliveryError(f"{where}: its server sent it compressed, unasked")
    return None
