"""A listener for hub callbacks: it verifies their signatures, drops repeats, prints events.

    HUB_SECRET=whsec_… python hub_listener.py 9000

It needs nothing but Python. While a secret is being replaced, put both into HUB_SECRET,
with a space between them.
"""

import base64
import hashlib
import hmac
import json
import os
import sys
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOLERANCE = 300
"""Seconds that a callback's time may differ from ours: what is older may be a replay."""
ACCEPTED, REFUSED = 204, 401


def is_genuine(headers: Mapping[str, str], body: bytes, secrets: list[str]) -> bool:
    """Whether one of the secrets has signed this callback (Standard Webhooks)."""
    event_id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not timestamp.isdigit() or abs(time.time() - int(timestamp)) > TOLERANCE:
        return False
    content = f"{event_id}.{timestamp}.".encode() + body
    given = headers.get("webhook-signature", "").split()
    return any(
        hmac.compare_digest(signature(secret, content), one) for secret in secrets for one in given
    )


def signature(secret: str, content: bytes) -> str:
    """`v1,` and the HMAC-SHA256 in base64."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    return "v1," + base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()


class Listener(BaseHTTPRequestHandler):
    """Answers 204 to what it has taken, and 401 to what is not from Tidings."""

    protocol_version = "HTTP/1.1"
    secrets: list[str]
    seen: set[str]

    def do_POST(self) -> None:
        """Take one callback."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        if is_genuine(headers, body, self.secrets):
            self.take(headers["webhook-id"], json.loads(body))
            self.send_response(ACCEPTED)
        else:
            self.send_response(REFUSED)
            self.send_header("Content-Length", "0")
        self.end_headers()

    def take(self, event_id: str, event: dict[str, object]) -> None:
        """A real listener writes the event to its database, with a unique index on the id."""
        if event_id not in self.seen:
            self.seen.add(event_id)
            print(event_id, event.get("eventType"), flush=True)

    def log_message(self, *arguments: object) -> None:
        """Be quiet."""


def main() -> None:
    """Listen until interrupted."""
    Listener.secrets = os.environ["HUB_SECRET"].split()
    Listener.seen = set()
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Listener).serve_forever()


if __name__ == "__main__":
    main()
