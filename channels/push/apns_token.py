"""The token by which APNs knows a provider (ES256): good for an hour, made anew before."""

import threading
import time

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from communication.clock import now

_RENEW_AFTER = 50 * 60.0
"""Seconds. Apple takes a token for an hour,"""
_LEAST = 20 * 60.0
"""and refuses whoever changes it more often than this."""


class ProviderToken:
    """One token for all connections, as Apple asks for. Shared by threads."""

    def __init__(self, key: EllipticCurvePrivateKey, *, key_id: str, team: str) -> None:
        self._key = key
        self._key_id = key_id
        self._team = team
        self._lock = threading.Lock()
        self._token = ""
        self._made = 0.0

    def get(self) -> str:
        """A token that is good now."""
        with self._lock:
            if not self._token or self._age() > _RENEW_AFTER:
                self._make()
            return self._token

    def renew(self, token: str) -> bool:
        """Replace a token that Apple calls expired; False if it is too young for that."""
        with self._lock:
            if token == self._token and self._age() < _LEAST:
                return False
            if token == self._token:
                self._make()
            return True

    def _age(self) -> float:
        return time.monotonic() - self._made

    def _make(self) -> None:
        claims = {"iss": self._team, "iat": int(now().timestamp())}
        self._token = jwt.encode(
            claims, self._key, algorithm="ES256", headers={"kid": self._key_id}
        )
        self._made = time.monotonic()
