"""Lists are the dear requests: one of a thousand messages costs as much as a hundred others.

So each kind of them may take some of a process's threads only, and those beyond wait.
"""

import re
import time
from collections import defaultdict, deque
from urllib.parse import unquote

from tidings.http.connection import Connection

_SHARE = 4
"""One thread in so many for each kind, but one at least."""
_LIST = re.compile("communicationMessage|delivery|orderevents")


def list_kind(method: str, path: str) -> str:
    """What a request wants a list of: messages, deliveries or order events. Empty: nothing."""
    last = unquote(path).rstrip("/").rpartition("/")[2]
    return last if method in ("GET", "HEAD") and _LIST.fullmatch(last) else ""


class Lists:
    """Which lists are being made, and which wait, in their order. The loop's alone."""

    def __init__(self, threads: int, patience: float) -> None:
        """`patience`: seconds for which one may wait."""
        self._most = max(1, threads // _SHARE)
        self._patience = patience
        self._making: dict[Connection, str] = {}
        self._waiting: defaultdict[str, deque[tuple[float, Connection]]] = defaultdict(deque)

    def begin(self, conn: Connection) -> bool:
        """Whether its request may be handled now; if not, `end` of another gives it back."""
        kind = list_kind(conn.arrival.method, conn.arrival.path)
        if not kind:
            return True
        if list(self._making.values()).count(kind) < self._most:
            self._making[conn] = kind
            return True
        self._waiting[kind].append((time.monotonic() + self._patience, conn))
        return False

    def end(self, conn: Connection) -> Connection | None:
        """Its request was handled; whose may be now."""
        kind = self._making.pop(conn, "")
        if not self._waiting[kind]:
            return None
        _, following = self._waiting[kind].popleft()
        self._making[following] = kind
        return following

    def overdue(self, moment: float) -> list[Connection]:
        """Those that have waited for too long, and wait no more."""
        found: list[Connection] = []
        for waiting in self._waiting.values():
            while waiting and waiting[0][0] <= moment:
                found.append(waiting.popleft()[1])
        return found
