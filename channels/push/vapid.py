"""How an application server shows push services who it is (RFC 8292)."""

import base64
import threading
import time
from collections import OrderedDict
from urllib.parse import urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
)

from communication.clock import now

_LIFETIME = 12 * 3600
"""Seconds that a token is good for; 24 hours are the most (RFC 8292 §2)."""
_EARLY = 3600.0
"""Seconds before its end from which on a token is made anew."""
_MOST_ORIGINS = 256
"""Push services that tokens are kept for. Clients name them, so there is a bound."""


class Vapid:
    """One key pair, and tokens for the origins of push services. Shared by threads."""

    def __init__(self, key: ec.EllipticCurvePrivateKey, subject: str) -> None:
        self._key = key
        self._subject = subject
        self._lock = threading.Lock()
        self._tokens: OrderedDict[str, tuple[str, float]] = OrderedDict()
        self.public_key = public_key(key)
        """What browsers are given to subscribe with, in base64url."""

    def authorization(self, endpoint: str) -> str:
        """The Authorization header for a request to the endpoint."""
        parts = urlsplit(endpoint)
        return f"vapid t={self._token(f'{parts.scheme}://{parts.netloc}')}, k={self.public_key}"

    def _token(self, origin: str) -> str:
        moment = time.monotonic()
        with self._lock:
            token, ends = self._tokens.get(origin, ("", 0.0))
            if ends - moment < _EARLY:
                token, ends = self._signed(origin), moment + _LIFETIME
            self._tokens[origin] = token, ends
            self._tokens.move_to_end(origin)
            while len(self._tokens) > _MOST_ORIGINS:
                self._tokens.popitem(last=False)
            return token

    def _signed(self, origin: str) -> str:
        claims = {"aud": origin, "exp": int(now().timestamp()) + _LIFETIME, "sub": self._subject}
        return jwt.encode(claims, self._key, algorithm="ES256")


def public_key(key: ec.EllipticCurvePrivateKey) -> str:
    """The public half as browsers want it: an uncompressed point in base64url."""
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return base64.urlsafe_b64encode(point).decode().rstrip("=")
