"""Access tokens of a Google service account (RFC 7523), kept while they are good."""

import threading
import time
from copy import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlencode

import jwt
import orjson
import structlog
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from channels.errors import ConfigurationFault
from channels.exchange import FAULT_WAIT, error_of, is_taken, object_of
from communication.clock import now
from communication.errors import DeliveryError, HttpError, TransientDeliveryError
from communication.http.client import Answer, HttpClient

_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_NAMED = ("project_id", "client_email", "token_uri", "private_key_id")
_LIFETIME = 3600
"""Seconds that an assertion is good for: the most that Google takes."""
_EARLY = 300.0
"""Seconds before a token's end from which on a new one is asked for."""
_FAULT_MEMORY = 10.0
"""Seconds for which a refusal stands, so that not every message asks again."""

log = structlog.get_logger(part="channels.push.google_token")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceAccount:
    """What the JSON file of a service account says."""

    project: str
    email: str
    token_url: str
    key_id: str
    key: RSAPrivateKey = field(repr=False)

    @classmethod
    def read(cls, path: Path) -> Self:
        """From the file as Google gives it. ValueError says what is wrong, OSError as well."""
        try:
            values: Any = orjson.loads(path.read_bytes())
            key = load_pem_private_key(values["private_key"].encode(), None)
            named = [values[name] for name in _NAMED]
            project, email, token_url, key_id = map(str.strip, named)
        except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
            raise ValueError("is no service account's JSON file") from error
        except ValueError as error:
            raise ValueError("has a private_key that can't be read") from error
        if not isinstance(key, RSAPrivateKey):
            raise ValueError("has a private_key that is not RSA")  # noqa: TRY004
        return cls(project=project, email=email, token_url=token_url, key_id=key_id, key=key)

    def assertion(self, scope: str) -> str:
        """A signed claim to be this account, for its token endpoint alone."""
        issued = int(now().timestamp())
        claims = {
            "iss": self.email,
            "scope": scope,
            "aud": self.token_url,
            "iat": issued,
            "exp": issued + _LIFETIME,
        }
        return jwt.encode(claims, self.key, algorithm="RS256", headers={"kid": self.key_id})


class AccessToken:
    """The token of one account for one scope. Shared by threads."""

    def __init__(self, account: ServiceAccount, scope: str, client: HttpClient) -> None:
        self._account = account
        self._scope = scope
        self._client = client
        self._asking = threading.Lock()
        self._token = ""
        self._ends = 0.0
        self._fault: DeliveryError | None = None
        self._fault_ends = 0.0

    def get(self, timeout: float) -> str:
        """A token that is good now, asked for within so many seconds if need be.

        One thread asks; while the old token is good the others go on with it.
        TransientDeliveryError if none can be had.
        """
        deadline = time.monotonic() + timeout
        token, left = self._token, self._ends - time.monotonic()
        if token and left > _EARLY:
            return token
        still_good = bool(token) and left > 0
        if not self._asking.acquire(timeout=0.0 if still_good else timeout):
            if still_good:
                return token
            raise TransientDeliveryError("timed out: waiting for an access token")
        try:
            return self._renew(deadline)
        except DeliveryError:
            if still_good:
                return token
            raise
        finally:
            self._asking.release()

    def forget(self, token: str) -> None:
        """The service took this token no more."""
        with self._asking:
            if token == self._token:
                self._token = ""

    def _renew(self, deadline: float) -> str:
        moment = time.monotonic()
        if self._token and self._ends - moment > _EARLY:
            return self._token  # another thread was quicker
        if self._fault is not None and moment < self._fault_ends:
            raise copy(self._fault)
        try:
            self._token, lifetime = self._ask(max(0.001, deadline - moment))
        except DeliveryError as error:
            self._fault, self._fault_ends = error, time.monotonic() + _FAULT_MEMORY
            log.error("no access token", account=self._account.email, reason=error.reason)  # noqa: TRY400  # its reason says it all
            raise
        self._fault, self._ends = None, moment + lifetime
        return self._token

    def _ask(self, timeout: float) -> tuple[str, float]:
        answer = self._post(timeout)
        body = object_of(answer)
        token, lifetime = body.get("access_token"), body.get("expires_in", _LIFETIME)
        if is_taken(answer) and isinstance(token, str) and isinstance(lifetime, int | float):
            return token, float(lifetime)
        said = f"{body.get('error', '')} {body.get('error_description', '')}".strip()
        error = error_of(answer, said)
        reason = f"no access token: {error.reason}"
        if isinstance(error, TransientDeliveryError) and not isinstance(error, ConfigurationFault):
            raise TransientDeliveryError(reason, retry_after=error.retry_after)
        # The request is always the same: what is refused is us.
        raise ConfigurationFault(reason, retry_after=FAULT_WAIT)

    def _post(self, timeout: float) -> Answer:
        form = {"grant_type": _GRANT, "assertion": self._account.assertion(self._scope)}
        try:
            return self._client.request(
                "POST",
                self._account.token_url,
                headers={"Content-Type": "application/x-www-form-urlencoded"},
                content=urlencode(form).encode(),
                timeout=timeout,
            )
        except HttpError as error:
            # Whatever became of it, no message was sent.
            raise TransientDeliveryError(f"no access token: {error.reason}") from error
