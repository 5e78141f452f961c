"""A poller: it subscribes once, then reads notifications for ever and prints them.

    python poller.py http://127.0.0.1:8080 poller.json CommunicationMessageUpdateNotification

It needs nothing but Python. The file keeps the subscription, so that it goes on where it was.
TIDINGS_TOKEN holds the access token, where Tidings asks for one.
"""

import json
import os
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

CLIENT_ID = os.environ.get("TIDINGS_CLIENT_ID", "poller")
REST = 5.0
"""Seconds before the next look when there was nothing, or Tidings was not to be reached."""
UNAVAILABLE = 503


def call(method: str, url: str, body: dict[str, Any] | None = None) -> Any:
    """The JSON of an answer. urllib.error.URLError."""
    headers = {"Content-Type": "application/json"}
    if token := os.environ.get("TIDINGS_TOKEN"):
        headers["Authorization"] = f"Bearer {token}"
    content = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, content, headers, method=method)  # noqa: S310
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        return json.load(answer)


def subscription(base: str, file: Path, event_types: list[str]) -> str:
    """The URL of the subscription in the file; a new one if there is none."""
    if not file.exists():
        body = {"event_type_ids": event_types, "client_id": CLIENT_ID}
        made = call("POST", f"{base}/notification/v1/subscriptions", body)
        file.write_text(json.dumps(made))
    public_id = json.loads(file.read_text())["id"]
    return f"{base}/notification/v1/subscriptions/{public_id}"


def poll(url: str) -> list[dict[str, Any]]:
    """The oldest notifications: they are never given again, so keep them before you go on."""
    results: list[dict[str, Any]] = call("GET", f"{url}/notifications")["results"]
    return results


def main() -> None:
    """Read until interrupted; everything at once, then a look from time to time."""
    base, file = sys.argv[1].rstrip("/"), Path(sys.argv[2])
    url = subscription(base, file, sys.argv[3:])
    while True:
        try:
            notifications = poll(url)
        except urllib.error.HTTPError as error:
            if error.code != UNAVAILABLE:
                raise  # our own fault, or the subscription is gone: 404
            notifications = []
        except urllib.error.URLError:
            notifications = []
        for one in notifications:
            print(one.get("eventId"), one.get("eventType"), flush=True)
        if not notifications:
            time.sleep(REST)


if __name__ == "__main__":
    main()
