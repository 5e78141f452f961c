"""DKIM signatures (RFC 6376; Ed25519: RFC 8463), of mails that we have built ourselves.

The cryptography is that of `cryptography` (OpenSSL); what is left is to bring a mail into the
form that is signed, relaxed/relaxed, so that no relay that wraps lines or squeezes spaces breaks
the signature.
"""

import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Self

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from communication.errors import SettingsError

_SIGNED = (
    *("from", "to", "subject", "date", "message-id", "reply-to", "auto-submitted"),
    *("mime-version", "content-type", "content-transfer-encoding"),
    *("list-unsubscribe", "list-unsubscribe-post"),
)
_GUARDED = frozenset(("from", "to", "subject", "date", "message-id", "reply-to", "content-type"))
"""Named once more than they are there, so that nobody can add another one."""
_HEADER = re.compile(rb"([^:\r\n]+):([^\r\n]*(?:\r\n[ \t][^\r\n]*)*)\r\n")
_SPACES = re.compile(rb"[ \t]+")
_SPACES_AT_END = re.compile(rb"[ \t]+(?=\r\n)")
_DOMAIN = re.compile(r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9])?)*")
_SHORTEST_RSA = 1024  # bits; RFC 8301 §3.2: verifiers take nothing shorter
_FOLDED = 72


@dataclass(frozen=True, slots=True)
class DkimKey:
    """A private key, and where its public half is published: `selector._domainkey.domain`."""

    domain: str
    selector: str
    key: RSAPrivateKey | Ed25519PrivateKey = field(repr=False)

    @classmethod
    def read(cls, domain: str, selector: str, file: Path) -> Self:
        """From a PEM file with an RSA or Ed25519 key. SettingsError if it can't be used."""
        for name, value in (("DOMAIN", domain), ("SELECTOR", selector)):
            if not _DOMAIN.fullmatch(value):
                raise SettingsError(f"TIDINGS_DKIM_{name}: {value!r} can't stand in a DNS name")
        try:
            key = load_pem_private_key(file.read_bytes(), password=None)
        except OSError as error:
            raise SettingsError(f"TIDINGS_DKIM_KEY: {file}: {error.strerror}") from error
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            message = f"TIDINGS_DKIM_KEY: {file} is no PEM file with an unencrypted private key"
            raise SettingsError(message) from error
        if isinstance(key, RSAPrivateKey) and key.key_size < _SHORTEST_RSA:
            raise SettingsError(f"TIDINGS_DKIM_KEY: {file} has less than {_SHORTEST_RSA} bits")
        if not isinstance(key, RSAPrivateKey | Ed25519PrivateKey):
            raise SettingsError(f"TIDINGS_DKIM_KEY: {file} is neither an RSA nor an Ed25519 key")
        return cls(domain, selector, key)

    @property
    def algorithm(self) -> str:
        """As the tag `a=` names it."""
        return "rsa-sha256" if isinstance(self.key, RSAPrivateKey) else "ed25519-sha256"

    def sign(self, data: bytes) -> bytes:
        """The signature of the data's SHA-256."""
        if isinstance(self.key, RSAPrivateKey):
            return self.key.sign(data, PKCS1v15(), SHA256())
        return self.key.sign(sha256(data).digest())


def signed(mail: bytes, keys: Sequence[DkimKey], moment: int) -> bytes:
    """The mail with a DKIM-Signature header by each key before it.

    It has CRLF line ends, and each of its headers once; `moment` is in seconds since 1970.
    """
    if not keys:
        return mail
    head, _, body = mail.partition(b"\r\n\r\n")
    headers = _relaxed_headers(head + b"\r\n")
    names = [name for name in _SIGNED if name in headers]
    data = b"".join(headers[name] for name in names)
    listed = ":".join([*names, *(name for name in _SIGNED if name in _GUARDED)])
    body_hash = _base64(sha256(_relaxed_body(body)).digest())
    lines = [_signature(key, data, listed, body_hash, moment) for key in keys]
    return b"".join([*lines, mail])


def _signature(key: DkimKey, data: bytes, listed: str, body_hash: str, moment: int) -> bytes:
    tags = (
        f"v=1; a={key.algorithm}; c=relaxed/relaxed; d={key.domain};\r\n"
        f" s={key.selector}; t={moment}; h={_folded(listed, ':')};\r\n"
        f" bh={body_hash};\r\n b="
    )
    unsigned = _relaxed(b"dkim-signature", tags.encode("ascii")).removesuffix(b"\r\n")
    signature = _base64(key.sign(data + unsigned))
    rows = (signature[at : at + _FOLDED] for at in range(0, len(signature), _FOLDED))
    return ("DKIM-Signature: " + tags + "\r\n ".join(rows) + "\r\n").encode("ascii")


def _folded(text: str, separator: str) -> str:
    """On several lines, broken after separators, where spaces don't count."""
    lines, line = [], ""
    for part in text.split(separator):
        if line and len(line) + len(part) > _FOLDED:
            lines.append(line)
            line = ""
        line += part + separator
    return "\r\n ".join([*lines, line.removesuffix(separator)])


def _relaxed_headers(head: bytes) -> Mapping[str, bytes]:
    """By name in small letters, each in the form that is signed (RFC 6376 §3.4.2)."""
    found = ((match[1].lower(), match[2]) for match in _HEADER.finditer(head))
    return {name.decode("ascii"): _relaxed(name, value) for name, value in found}


def _relaxed(name: bytes, value: bytes) -> bytes:
    squeezed = _SPACES.sub(b" ", value.replace(b"\r\n", b"")).strip(b" ")
    return b"%b:%b\r\n" % (name, squeezed)


def _relaxed_body(body: bytes) -> bytes:
    """RFC 6376 §3.4.4; what is encoded seldom has spaces to squeeze."""
    if b"\t" in body or b"  " in body:
        body = _SPACES.sub(b" ", body)
    if b" \r\n" in body:
        body = _SPACES_AT_END.sub(b"", body)
    stripped = body.rstrip(b"\r\n")
    return stripped + b"\r\n" if stripped else b""


def _base64(data: bytes) -> str:
    return b64encode(data).decode("ascii")
