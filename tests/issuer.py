"""An issuer of access tokens, and its key set as a file."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jwt
import orjson
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from communication.scopes import SCOPES

EVERYTHING = " ".join(sorted(SCOPES))
_MAKERS: dict[str, tuple[Callable[[], Any], Any]] = {
    "ES256": (lambda: ec.generate_private_key(ec.SECP256R1()), ECAlgorithm),
    "ES384": (lambda: ec.generate_private_key(ec.SECP384R1()), ECAlgorithm),
    "RS256": (lambda: rsa.generate_private_key(65537, 2048), RSAAlgorithm),
    "EdDSA": (ed25519.Ed25519PrivateKey.generate, OKPAlgorithm),
}


class Issuer:
    """Signs tokens with a key of its own."""

    def __init__(self, algorithm: str = "ES256", kid: str = "k1") -> None:
        make, kind = _MAKERS[algorithm]
        self.key: Any = make()
        self.algorithm = algorithm
        self.kid = kid
        self.jwk: dict[str, Any] = {**kind.to_jwk(self.key.public_key(), as_dict=True), "kid": kid}

    def publish(self, path: Path, *others: "Issuer") -> Path:
        """Write the key set, with others' keys too."""
        path.write_bytes(orjson.dumps({"keys": [one.jwk for one in (self, *others)]}))
        return path

    def claims(self, **changes: Any) -> dict[str, Any]:
        """Good claims, changed; a change to None leaves the claim out."""
        whole = {
            "iss": "tidings",
            "aud": "tidings",
            "exp": int(time.time()) + 3_600,  # for the whole run
            "client_id": "shop",
            "tenant": "a",
            "scope": EVERYTHING,
            **changes,
        }
        return {name: value for name, value in whole.items() if value is not None}

    def token(self, *, headers: dict[str, Any] | None = None, **changes: Any) -> str:
        """A signed token with these claims."""
        named = {"kid": self.kid, "typ": "at+jwt", **(headers or {})}
        return jwt.encode(self.claims(**changes), self.key, algorithm=self.algorithm, headers=named)

    def bearer(self, **changes: Any) -> dict[str, str]:
        """The header that shows such a token."""
        return {"Authorization": f"Bearer {self.token(**changes)}"}
