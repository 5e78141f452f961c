"""Devices as apps register them."""

import base64
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

APNS_TOKEN = "00fc13adff785122b4ad28809a3420982341241421348097878e577c991de8f0"


def base64url(octets: bytes) -> str:
    """Without padding, as browsers write keys."""
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")


def public_point(key: ec.EllipticCurvePrivateKey) -> str:
    """A public key as a subscription's p256dh has it."""
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return base64url(point)


def subscription(endpoint: str = "https://push.example.com/s/1") -> dict[str, Any]:
    """What a browser's subscribe() gives."""
    keys = {
        "p256dh": public_point(ec.generate_private_key(ec.SECP256R1())),
        "auth": base64url(b"0123456789abcdef"),
    }
    return {"endpoint": endpoint, "expirationTime": None, "keys": keys}
