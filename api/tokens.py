"""Access tokens (RFC 6750, RFC 9068): who calls, for which tenant, and what it may do."""

import hashlib
from collections.abc import Collection, Mapping
from typing import Any

import jwt

from api.edge import Caller
from api.jwks import KeySet, open_keys
from communication.clock import now
from communication.errors import AccessDenied, ExpiredCredentials, ForbiddenUser, InvalidCredentials
from communication.public_id import TENANT, is_client
from communication.settings import Settings, listed

MOST_REMEMBERED = 10_000
"""Verified tokens: verifying takes a hundred times as long as finding one here."""
SKEW = 30
"""Seconds by which the issuer's clock may be ahead of ours."""
_KINDS = ("at+jwt", "application/at+jwt", "jwt")
"""Values of `typ`: RFC 9068 wants the first, many issuers write the last."""
_LAST_SECOND = 253_402_300_799
"""Of the year 9999."""


class Tokens:
    """Verifies access tokens. Shared by threads."""

    def __init__(
        self,
        keys: KeySet,
        *,
        issuer: str,
        audience: str,
        tenant_claim: str,
        forbidden: Collection[str] = (),
    ) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._tenant_claim = tenant_claim
        self._forbidden = frozenset(forbidden)
        self._verified: dict[bytes, tuple[Caller, float]] = {}
        self._generation = 0

    def caller(self, token: str) -> Caller:
        """Who shows this token. A RequestError of code 40 to 42, 50 or 52 if it is not good."""
        self._keys.refresh()
        if self._generation != self._keys.generation:
            self._generation = self._keys.generation
            self._verified = {}
        digest = hashlib.sha256(token.encode()).digest()
        known = self._verified.get(digest)
        if known is None:
            known = self._verify(token)
            self._remember(digest, known)
        caller, expires = known
        if expires <= now().timestamp():
            self._verified.pop(digest, None)
            raise ExpiredCredentials("the access token has expired; get a new one")
        return caller

    def _remember(self, digest: bytes, known: tuple[Caller, float]) -> None:
        verified = self._verified
        while len(verified) >= MOST_REMEMBERED:
            verified.pop(next(iter(verified), digest), None)
        verified[digest] = known

    def _verify(self, token: str) -> tuple[Caller, float]:
        try:
            claims = self._claims(token)
        except jwt.InvalidIssuerError:
            raise InvalidCredentials("the access token is of another issuer") from None
        except jwt.InvalidAudienceError:
            raise InvalidCredentials("the access token is for another audience") from None
        except jwt.MissingRequiredClaimError as error:
            raise InvalidCredentials(f"the access token has no claim {error.claim}") from None
        except jwt.ImmatureSignatureError:
            raise InvalidCredentials("the access token is not valid yet") from None
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError):
            raise InvalidCredentials("the access token can't be verified") from None
        return self._caller(claims), _expiry(claims["exp"])

    def _claims(self, token: str) -> dict[str, Any]:
        header = jwt.get_unverified_header(token)
        algorithm, kid, kind = header.get("alg"), header.get("kid"), header.get("typ", "JWT")
        if "crit" in header or not isinstance(kind, str) or kind.lower() not in _KINDS:
            raise jwt.InvalidTokenError
        key = self._keys.find(kid, algorithm) if isinstance(algorithm, str) else None
        if key is None:
            raise jwt.InvalidTokenError
        return jwt.decode(
            token,
            key,
            algorithms=[key.algorithm_name],
            issuer=self._issuer,
            audience=self._audience,
            leeway=SKEW,
            # Its expiry is looked at each time that it is shown, without the leeway.
            options={"require": ["exp", "iss", "aud"], "verify_exp": False, "verify_iat": False},
        )

    def _caller(self, claims: Mapping[str, Any]) -> Caller:
        client = claims.get("client_id", claims.get("azp"))
        if not isinstance(client, str) or not is_client(client):
            raise InvalidCredentials("the access token has no usable claim client_id")
        tenant = claims.get(self._tenant_claim)
        if not isinstance(tenant, str) or not TENANT.fullmatch(tenant):
            raise AccessDenied(f"the access token has no usable claim {self._tenant_claim}")
        if claims.get("sub") in self._forbidden:
            raise ForbiddenUser("the access token's user is not let in any more")
        return Caller(tenant=tenant, client=client, scopes=_scopes(claims.get("scope", "")))


def open_tokens(settings: Settings) -> Tokens | None:
    """What verifies tokens as the settings say, None without authentication.

    SettingsError for a file of keys that can't be used; an issuer may answer later.
    """
    keys = open_keys(settings)
    if keys is None:
        return None
    return Tokens(
        keys,
        issuer=settings.jwt_issuer,
        audience=settings.jwt_audience,
        tenant_claim=settings.tenant_claim,
        forbidden=listed(settings.forbidden_users),
    )


def _scopes(claim: object) -> frozenset[str]:
    """RFC 8693 §4.2 has them in one text; some issuers write a list."""
    if isinstance(claim, list):
        return frozenset(one for one in claim if isinstance(one, str))
    return frozenset(claim.split()) if isinstance(claim, str) else frozenset()


def _expiry(claim: object) -> float:
    if isinstance(claim, bool) or not isinstance(claim, (int, float)):
        raise InvalidCredentials("the access token's exp is no number")
    if not 0 <= claim <= _LAST_SECOND:
        raise InvalidCredentials("the access token's exp is no time")
    return float(claim)
