"""Devices from the wire: what an app registers of the push service that reaches it."""

import base64
import binascii
import re
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ec

from communication.catalogue.snapshot import LOCALE
from communication.wire.fields import Fields, Spellings

DEVICE_FIELDS = Spellings("platform", "token", "subscription", "locale")
_SUBSCRIPTION_FIELDS = Spellings("endpoint", "keys")
_KEY_FIELDS = Spellings("p256dh", "auth")

_LONGEST = 4096
_LONGEST_URL = 2048
_POINT_SIZE, _AUTH_SIZE = 65, 16
"""Octets of an uncompressed P-256 point and of the authentication secret (RFC 8291 §3.2)."""


class Platform(StrEnum):
    """The push service that reaches a device."""

    FCM = "fcm"  # Firebase Cloud Messaging
    APNS = "apns"  # Apple Push Notification service
    WEBPUSH = "webpush"  # a browser's, or a UnifiedPush distributor's
    NTFY = "ntfy"  # a topic of an ntfy server


_TOKENS = {
    Platform.FCM: (re.compile(r"[!-~]{1,4096}"), "visible ASCII characters, as Firebase gives it"),
    Platform.APNS: (re.compile(r"([0-9A-Fa-f]{2}){8,100}"), "hexadecimal, as iOS gives it"),
    Platform.NTFY: (re.compile(r"[A-Za-z0-9_-]{1,64}"), "a topic: letters, digits, _ and -"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDevice:
    """A device to register. `token`: for Web Push the endpoint, whose `keys` stand beside it."""

    platform: Platform
    token: str
    keys: dict[str, str] | None = None
    locale: str | None = None

    @property
    def fingerprint(self) -> str:
        """The same for what is the same installation or browser to its push service."""
        return sha256(f"{self.platform}\n{self.token}".encode()).hexdigest()


def read_device(body: dict[str, Any]) -> NewDevice:
    """A device from a request's body. A RequestError naming the field that is wrong."""
    fields = Fields.of(body, DEVICE_FIELDS)
    platform = _platform(fields)
    locale = _locale(fields)
    if platform is not Platform.WEBPUSH:
        return NewDevice(platform=platform, token=_token(fields, platform), locale=locale)
    subscription = fields.nested("subscription", _subscription)
    if subscription is None:
        raise fields.missing("subscription", "is required: what the browser's subscribe() gave")
    endpoint, keys = subscription
    return NewDevice(platform=platform, token=endpoint, keys=keys, locale=locale)


def _platform(fields: Fields) -> Platform:
    text = fields.text("platform", most=_LONGEST)
    if text is None:
        raise fields.missing("platform", f"is required: one of {', '.join(Platform)}")
    if text not in set(Platform):
        raise fields.invalid("platform", f"must be one of {', '.join(Platform)}")
    return Platform(text)


def _locale(fields: Fields) -> str | None:
    locale = fields.text("locale", most=40)
    if locale is not None and not LOCALE.fullmatch(locale):
        raise fields.invalid("locale", "must be a language tag such as sv or pt-BR")
    return locale


def _token(fields: Fields, platform: Platform) -> str:
    token = fields.text("token", most=_LONGEST)
    if token is None:
        raise fields.missing("token", f"is required for {platform}")
    pattern, rule = _TOKENS[platform]
    if not pattern.fullmatch(token):
        raise fields.invalid("token", f"must be {rule}")
    return token.lower() if platform is Platform.APNS else token


def _subscription(value: object) -> tuple[str, dict[str, str]]:
    fields = Fields.of(value, _SUBSCRIPTION_FIELDS)
    endpoint = fields.text("endpoint", most=_LONGEST_URL)
    if endpoint is None:
        raise fields.missing("endpoint", "is required")
    if not _is_endpoint(endpoint):
        raise fields.invalid("endpoint", "must be an absolute https URL without user or fragment")
    keys = fields.nested("keys", _keys)
    if keys is None:
        raise fields.missing("keys", "is required: p256dh and auth")
    return endpoint, keys


def _is_endpoint(url: str) -> bool:
    try:
        parts = urlsplit(url)
        usable = parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        return False
    clean = url.isascii() and url.isprintable() and not set(url) & set(' \\"<>')
    return bool(
        parts.scheme == "https" and usable and clean and "@" not in parts.netloc and "#" not in url
    )


def _keys(value: object) -> dict[str, str]:
    fields = Fields.of(value, _KEY_FIELDS)
    point = _octets(fields, "p256dh", _POINT_SIZE)
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except ValueError:
        raise fields.invalid("p256dh", "must be a point of the curve P-256") from None
    auth = _octets(fields, "auth", _AUTH_SIZE)
    return {"p256dh": _encoded(point), "auth": _encoded(auth)}


def _octets(fields: Fields, name: str, size: int) -> bytes:
    text = fields.text(name, most=_LONGEST)
    if text is None:
        raise fields.missing(name, "is required")
    # Browsers leave the padding out and some libraries write the other alphabet.
    padded = text.rstrip("=").replace("+", "-").replace("/", "_")
    try:
        octets = base64.b64decode(padded + "=" * (-len(padded) % 4), altchars="-_", validate=True)
    except (ValueError, binascii.Error):
        octets = b""
    if len(octets) != size:
        raise fields.invalid(name, f"must be {size} bytes in base64url")
    return octets


def _encoded(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")
