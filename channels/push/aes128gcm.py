"""Encryption of Web Push payloads (RFC 8291: aes128gcm of RFC 8188, one record).

The only library that has it comes without wheels; what it takes is forty lines over the primitives.
"""

import base64
import os
from collections.abc import Mapping

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from communication.errors import PermanentDeliveryError

_SALT_SIZE, _KEY_SIZE, _NONCE_SIZE, _HASH_SIZE = 16, 16, 12, 32
_RECORD_SIZE = 4096
"""What all take (RFC 8291 §4); the payload, being smaller, is one record."""
_LAST = b"\x02"
"""What ends the last record (RFC 8188 §2)."""
OVERHEAD = _SALT_SIZE + 4 + 1 + 65 + 1 + 16
"""Octets that encryption adds: salt, record size, key length, key, delimiter, tag."""


def encrypt(plain: bytes, keys: Mapping[str, str]) -> bytes:
    """The payload for who holds the subscription with these keys: `p256dh` and `auth`.

    PermanentDeliveryError if they are none.
    """
    try:
        receiver_point = _octets(keys["p256dh"])
        auth = _octets(keys["auth"])
        receiver = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), receiver_point)
    except (KeyError, ValueError) as error:
        raise PermanentDeliveryError("the subscription has no usable keys") from error
    own = ec.generate_private_key(ec.SECP256R1())
    own_point = own.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    secret = own.exchange(ec.ECDH(), receiver)
    info = b"WebPush: info\0" + receiver_point + own_point
    keying = _derived(secret, auth, info, _HASH_SIZE)
    salt = os.urandom(_SALT_SIZE)
    key = _derived(keying, salt, b"Content-Encoding: aes128gcm\0", _KEY_SIZE)
    nonce = _derived(keying, salt, b"Content-Encoding: nonce\0", _NONCE_SIZE)
    sealed = AESGCM(key).encrypt(nonce, plain + _LAST, None)
    return salt + _RECORD_SIZE.to_bytes(4) + bytes([len(own_point)]) + own_point + sealed


def _derived(secret: bytes, salt: bytes, info: bytes, size: int) -> bytes:
    return HKDF(SHA256(), size, salt, info).derive(secret)


def _octets(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
