"""The keys that access tokens are signed with (RFC 7517), from a file or from their issuer."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Lock
from typing import Any

import jwt
import orjson
import structlog

from communication.errors import HttpError, ServiceUnavailable, SettingsError
from communication.http.client import HttpClient
from communication.settings import Settings

LOOK_EVERY = 1.0
"""Seconds between looks whether the file has changed."""
FETCH_EVERY = 600.0
"""Seconds for which fetched keys are used before they are fetched again."""
FETCH_AGAIN_AFTER = 60.0
"""Seconds between fetches that are made because a token names an unknown key, or one failed."""
FETCH_FIRST_AFTER = 5.0
"""Seconds between fetches while there are no keys yet: nobody can be let in before."""
LARGEST = 256 * 1024
"""Bytes of a key set that are read."""
_PATIENCE = 5.0
_MOST_KEYS = 100
_LEAST_RSA_BITS = 2048
_PUBLIC = frozenset(("kty", "kid", "use", "key_ops", "alg", "crv", "x", "y", "n", "e"))
_FITTING = {
    ("RSA", None): frozenset(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")),
    ("EC", "P-256"): frozenset(("ES256",)),
    ("EC", "P-384"): frozenset(("ES384",)),
    ("EC", "P-521"): frozenset(("ES512",)),
    ("OKP", "Ed25519"): frozenset(("EdDSA",)),
}

log = structlog.get_logger(part="api")

Read = Callable[[], bytes | None]
"""What the keys' source says; None when it says what it said before. Raises _NoKeys."""


class _NoKeys(Exception):
    """The source can't be read, or it holds no key set."""


class KeySet:
    """Public keys by (kid, algorithm). Kept current while it is asked; shared by threads.

    `generation` counts the changes: what was verified with an earlier one is to be verified
    again.
    """

    def __init__(
        self, read: Read, *, every: float, allowed: frozenset[str], source: str = ""
    ) -> None:
        """`source`: what the log calls it."""
        self._read = read
        self._source = source
        self._every = every
        self._allowed = allowed
        self._keys: dict[tuple[str | None, str], jwt.PyJWK] = {}
        self._text: bytes | None = None
        self._next_look = 0.0
        self._looked_at = float("-inf")
        self._lock = Lock()
        self.generation = 0

    def refresh(self) -> None:
        """Read the source again if it is time. The keys stay as they are when that fails.

        Nobody waits while another reads, but for the very first time.
        """
        first = self._text is None and self._next_look == 0.0
        if time.monotonic() >= self._next_look and self._lock.acquire(blocking=first):
            try:
                if time.monotonic() >= self._next_look:
                    self._look()
            finally:
                self._lock.release()

    def find(self, kid: str | None, algorithm: str) -> jwt.PyJWK | None:
        """The key; the only one for the algorithm where the token names none.

        A name that is unknown has the source read again, at most once a minute.
        ServiceUnavailable while there are no keys at all.
        """
        key = self._find(kid, algorithm)
        if key is None and time.monotonic() - self._looked_at >= FETCH_AGAIN_AFTER:
            self._next_look = 0.0
            self.refresh()
            key = self._find(kid, algorithm)
        if self._text is None:
            raise ServiceUnavailable("the keys of access tokens could not be read")
        return key

    def load(self) -> None:
        """Read the source now. SettingsError if it can't be used."""
        try:
            self._take(self._read())
        except _NoKeys as error:
            raise SettingsError(f"TIDINGS_JWKS: {self._source}: {error}") from error

    def _find(self, kid: str | None, algorithm: str) -> jwt.PyJWK | None:
        if kid is not None:
            return self._keys.get((kid, algorithm))
        fitting = [key for (_, fits), key in self._keys.items() if fits == algorithm]
        return fitting[0] if len(fitting) == 1 else None

    def _look(self) -> None:
        self._looked_at = time.monotonic()
        try:
            self._take(self._read())
            self._next_look = time.monotonic() + self._every
        except _NoKeys as error:
            wait = FETCH_FIRST_AFTER if self._text is None else FETCH_AGAIN_AFTER
            self._next_look = time.monotonic() + min(self._every, wait)
            log.warning("keys of access tokens not read", source=self._source, why=str(error))

    def _take(self, text: bytes | None) -> None:
        if text is None or text == self._text:
            return
        self._keys = _parse(text, self._allowed)
        self._text = text
        self.generation += 1


def open_keys(settings: Settings) -> KeySet | None:
    """The key set that the settings name, None without authentication."""
    if not settings.jwks:
        return None
    allowed = frozenset(one.strip() for one in settings.jwt_algorithms.split(","))
    if "://" in settings.jwks:
        every, read = FETCH_EVERY, _from_url(settings.jwks)
    else:
        every, read = LOOK_EVERY, _from_file(Path(settings.jwks))
    keys = KeySet(read, every=every, allowed=allowed, source=settings.jwks)
    if "://" not in settings.jwks:
        keys.load()
    return keys


def _from_file(path: Path) -> Read:
    seen: list[tuple[int, int, int]] = []

    def read() -> bytes | None:
        try:
            status = path.stat()
            version = (status.st_mtime_ns, status.st_size, status.st_ino)
            if seen == [version]:
                return None
            text = path.read_bytes()
        except OSError as error:
            raise _NoKeys(error.strerror or type(error).__name__) from error
        seen[:] = [version]
        return text

    return read


def _from_url(url: str) -> Read:
    http = HttpClient(None, timeout=_PATIENCE, max_body=LARGEST, connections_per_host=0)

    def read() -> bytes:
        try:
            answer = http.request("GET", url, headers={"Accept": "application/json"})
        except HttpError as error:
            raise _NoKeys(error.reason) from error
        if answer.status != 200 or not answer.whole:  # noqa: PLR2004  # HTTP's OK
            raise _NoKeys(f"it answered {answer.status} with {len(answer.body)} bytes or more")
        return answer.body

    return read


def _parse(text: bytes, allowed: frozenset[str]) -> dict[tuple[str | None, str], jwt.PyJWK]:
    try:
        listed = orjson.loads(text)["keys"]
        entries = [one for one in listed[:_MOST_KEYS] if isinstance(one, dict)]
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise _NoKeys("it is no JSON object with a list of `keys`") from error
    found = {}
    for entry in entries:
        for algorithm in _algorithms(entry) & allowed:
            key = _build(entry, algorithm)
            if key is not None:
                found[_name(entry), algorithm] = key
    if not found:
        raise _NoKeys("it holds no public key for signatures that TIDINGS_JWT_ALGORITHMS allows")
    return found


def _name(entry: Mapping[str, Any]) -> str | None:
    kid = entry.get("kid")
    return kid if isinstance(kid, str) else None


def _algorithms(entry: Mapping[str, Any]) -> frozenset[str]:
    """What a key may verify: by its kind, and by what it says of its use (RFC 7517 §4)."""
    operations = entry.get("key_ops", ["verify"])
    may_verify = isinstance(operations, list) and "verify" in operations
    if entry.get("use", "sig") != "sig" or not may_verify:
        return frozenset()
    kind, curve, named = entry.get("kty"), entry.get("crv"), entry.get("alg")
    fitting = _FITTING.get((str(kind), str(curve) if curve else None), frozenset())
    return frozenset(one for one in fitting if named in (one, None, ""))


def _build(entry: Mapping[str, Any], algorithm: str) -> jwt.PyJWK | None:
    public = {name: value for name, value in entry.items() if name in _PUBLIC}
    try:
        key = jwt.PyJWK(public, algorithm)
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        log.warning("a key of access tokens is left out", kid=_name(entry), why=str(error))
        return None
    if getattr(key.key, "key_size", _LEAST_RSA_BITS) < _LEAST_RSA_BITS and key.key_type == "RSA":
        log.warning("a key of access tokens is left out", kid=_name(entry), why="it is short")
        return None
    return key
