"""Lists are the dear requests: one of a thousand messages costs as much as a hundred others.

So they may take some of a process's threads only, and wait for each other beyond that.
"""

import re
import time
from collections import deque
from urllib.parse import unquote

from tidings.http.connection import Connection

_SHARE = 4
"""One thread in so many, but one at least."""
_LIST = re.compile("/(communicationMessage|delivery|orderevents)/*")


def is_list(method: str, path: str) -> bool:
    """Whether a request asks for messages, for deliveries or for the order-event feed."""
    last = "/" + unquote(path).rstrip("/").rpartition("/")[2]
    return method in ("GET", "HEAD") and _LIST.fullmatch(last) is not None


class Lists:
    """Which lists are being made, and which wait, in their order. The loop's alone."""

    def __init__(self, threads: int, patience: float) -> None:
        """`patience`: seconds for which one may wait."""
        self._most = max(1, threads // _SHARE)
        self._patience = patience
        self._making: set[Connection] = set()
        self._waiting: deque[tuple[float, Connection]] = deque()

    def begin(self, conn: Connection) -> bool:
        """Whether its request may be handled now; if not, `end` of another gives it back."""
        if not is_list(conn.arrival.method, conn.arrival.path):
            return True
        if len(self._making) < self._most:
            self._making.add(conn)
            return True
        self._waiting.append((time.monotonic() + self._patience, conn))
        return False

    def end(self, conn: Connection) -> Connection | None:
        """Its request was handled; whose may be now."""
        if conn not in self._making:
            return None
        self._making.remove(conn)
        if not self._waiting:
            return None
        _, following = self._waiting.popleft()
        self._making.add(following)
        return following

    def overdue(self, moment: float) -> list[Connection]:
        """Those that have waited for too long, and wait no more."""
        found: list[Connection] = []
        while self._waiting and self._waiting[0][0] <= moment:
            found.append(self._waiting.popleft()[1])
        return found
