"""Keys of push services, in files that the operator names."""

import base64
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from communication.channel_url import ChannelUrl

T = TypeVar("T")
_SCALAR_SIZE = 32


def read_file(url: ChannelUrl, read: Callable[[Path], T]) -> T:
    """What `read` makes of the file at the URL's path. SettingsError says what is wrong with it."""
    try:
        return read(Path(url.path))
    except OSError as error:
        raise url.fault(f"{url.path}: {error.strerror or error}") from error
    except ValueError as error:
        raise url.fault(f"{url.path} {error}") from error


def read_p256_key(path: Path) -> ec.EllipticCurvePrivateKey:
    """A signing key: PEM, or 32 bytes in base64url as the web-push tools write it.

    ValueError if it is neither.
    """
    content = path.read_bytes().strip()
    try:
        key = load_pem_private_key(content, None) if b"-----" in content else _of_scalar(content)
    except (ValueError, TypeError) as error:
        raise ValueError("is no private key in PEM or base64url") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ValueError("has a key of another kind than P-256")  # noqa: TRY004
    return key


def make_p256_key(path: Path) -> None:
    """Write a new signing key that its owner alone may read. OSError if the file is there."""
    key = ec.generate_private_key(ec.SECP256R1())
    text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(text)


def _of_scalar(text: bytes) -> ec.EllipticCurvePrivateKey:
    octets = base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))
    if len(octets) != _SCALAR_SIZE:
        raise ValueError(len(octets))
    return ec.derive_private_key(int.from_bytes(octets), ec.SECP256R1())
