"""Signatures of callbacks: Standard Webhooks 1.0.0, symmetric."""

import base64
import hashlib
import hmac
from collections.abc import Iterable
from datetime import datetime

PREFIX = "whsec_"


def signed_headers(
    secrets: Iterable[str], event_id: str, body: bytes, *, at: datetime
) -> dict[str, str]:
    """The three headers of a callback, with a signature for each secret (`whsec_…`).

    Two secrets are in force while one takes the place of the other: a listener accepts the
    callback if any signature is right.
    """
    timestamp = str(int(at.timestamp()))
    content = f"{event_id}.{timestamp}.".encode() + body
    return {
        "webhook-id": event_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(_signature(secret, content) for secret in secrets),
    }


def _signature(secret: str, content: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX))
    return "v1," + base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
