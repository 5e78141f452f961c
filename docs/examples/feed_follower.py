"""A follower of the order-event feed: it prints how deliveries ended, and goes on after a stop.

    python feed_follower.py http://127.0.0.1:8080 last-event.txt

It needs nothing but Python. The file holds the last event that was read; without it, the feed
is read from its beginning. TOKEN is the access token, where one is needed.
"""

import json
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

EVERY = 1.0
"""Seconds between polls: an idle one costs the server next to nothing."""
PATIENCE = 60
UNCHANGED, UNKNOWN = 304, 400


class Follower:
    """Reads on from the last event."""

    def __init__(self, server: str, last: Path) -> None:
        self._feed = f"{server}/api/2.3.1/orderevents/"
        self._last = last
        self._tag = ""

    def poll(self) -> list[dict[str, Any]]:
        """What came since; urllib's HTTPError or URLError if the server can't answer."""
        since = self._last.read_text() if self._last.exists() else ""
        query = f"?since={urllib.parse.quote(since)}" if since else ""
        request = urllib.request.Request(self._feed + query, headers=self._headers())  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310
                entries: list[dict[str, Any]] = json.load(answer)
                self._tag = answer.headers["ETag"]
        except urllib.error.HTTPError as error:
            if error.code != UNCHANGED:
                raise
            return []
        return entries

    def remember(self, event: str) -> None:
        """Go on after this event, also when the machine stops at this very moment."""
        fresh = self._last.with_suffix(".new")
        fresh.write_text(event)
        fresh.replace(self._last)

    def _headers(self) -> dict[str, str]:
        token = os.environ.get("TOKEN")
        authorization = {"Authorization": f"Bearer {token}"} if token else {}
        return {"If-None-Match": self._tag, **authorization} if self._tag else authorization


def main() -> None:
    """Follow until interrupted."""
    follower = Follower(sys.argv[1], Path(sys.argv[2]))
    while True:
        try:
            entries = follower.poll()
        except urllib.error.HTTPError as error:
            if error.code == UNKNOWN:
                sys.exit(json.load(error)["cause"])
            entries = []
        except (OSError, ValueError) as error:  # away, or the answer broke off: read it again
            print(f"waiting: {error}", file=sys.stderr)
            entries = []
        for entry in entries:
            order = entry["order"]
            print(order["accessId"], order["state"], order["message"], flush=True)
        if entries:
            follower.remember(entries[-1]["event"])
        time.sleep(EVERY)


if __name__ == "__main__":
    main()
