"""What is a usable email address: one rule, for accepting a message and for sending it."""

import re
import unicodedata
from dataclasses import dataclass

# What RFC 5321 needs quoted, and what would let an address end early in a header or command.
# Otherwise lenient: some providers gave out local parts with two dots, or one at the end.
_PLAIN_LOCAL = re.compile(r'[^\s\x00-\x20\x7f-\xa0<>()\[\]\\,;:"@]+')
_QUOTED_LOCAL = re.compile(r'"(?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\[\x20-\x7e])*"')
_HOST = re.compile(
    r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*"
)
_LITERAL = re.compile(r"\[(?:IPv6:)?[0-9A-Fa-f:.]+\]")
_DOTS = re.compile("[.\u3002\uff0e\uff61]")
# IDNA 2003, the standard library's, maps these away and so may name somebody else's domain.
_DEVIATIONS = frozenset("\u00df\u03c2\u200c\u200d")
_LONGEST = 254


@dataclass(frozen=True, slots=True)
class Mailbox:
    """An email address; the domain is in its ASCII form (RFC 5890)."""

    local: str
    domain: str

    @property
    def international(self) -> bool:
        """Whether it can be sent to by SMTPUTF8 (RFC 6531) alone."""
        return not self.local.isascii()

    def __str__(self) -> str:
        return f"{self.local}@{self.domain}"


def mailbox(address: str) -> Mailbox:
    """An email address in its parts. ValueError, saying why, if it is none."""
    local, _, domain = address.strip().rpartition("@")
    try:
        found = Mailbox(_local(local), _domain(domain))
    except ValueError as error:
        raise ValueError("must be an email address such as name@example.com") from error
    if len(str(found).encode()) > _LONGEST:
        raise ValueError(f"must have at most {_LONGEST} octets")
    return found


def _local(text: str) -> str:
    normal = unicodedata.normalize("NFC", text)
    if not _PLAIN_LOCAL.fullmatch(normal) and not _QUOTED_LOCAL.fullmatch(normal):
        raise ValueError(text)
    return normal


def _domain(text: str) -> str:
    if _LITERAL.fullmatch(text):
        return text
    host = ".".join(_label(label) for label in _DOTS.split(text)).lower()
    if not _HOST.fullmatch(host):
        raise ValueError(text)
    return host


def _label(text: str) -> str:
    if text.isascii():
        return text
    if _DEVIATIONS.isdisjoint(text):
        return text.encode("idna").decode("ascii")
    return "xn--" + unicodedata.normalize("NFC", text.lower()).encode("punycode").decode("ascii")
