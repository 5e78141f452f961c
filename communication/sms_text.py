"""How operators count and bill the text of an SMS (3GPP TS 23.038 and TS 23.040)."""

import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

_ESCAPE = "\x1b"
_ALPHABET = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ" + _ESCAPE + "ÆæßÉ"
    " !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""The default alphabet by its septets (TS 23.038 §6.2.1)."""

_BASIC = frozenset(_ALPHABET) - {_ESCAPE}

_ESCAPED = dict(zip("\f^{}\\[~]|€", "\n\x14()/<=>@e", strict=True))
"""Each is the escape and another septet (TS 23.038 §6.2.1.1)."""

_EXTENSION = frozenset(_ESCAPED)
_AS_SEPTETS = str.maketrans(
    {one: chr(place) for place, one in enumerate(_ALPHABET)}
    | {one: _ESCAPE + septet for one, septet in _ESCAPED.items()}
)

_GSM_7 = _BASIC | _EXTENSION
_LAST_OF_BMP = "\uffff"

_LIKENESSES = str.maketrans(
    dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u00b4\u02bc\u0060", "'")
    | dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"')
    | dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u2022", "-")
    | dict.fromkeys("\u2039", "<")
    | dict.fromkeys("\u203a", ">")
    | dict.fromkeys("\u2026", "...")
    | dict.fromkeys("\u00d7", "x")
    | dict.fromkeys("\u2044", "/")
    | dict.fromkeys("\u2192", "->")
    | dict.fromkeys("\ufb01", "fi")
    | dict.fromkeys("\ufb02", "fl")
    | dict.fromkeys("\t\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007", " ")
    | dict.fromkeys("\u2008\u2009\u200a\u202f\u205f\u3000", " ")
    | dict.fromkeys("\u0085\u2028\u2029", "\n")
    # Seen by nobody: soft hyphen, zero-width spaces and joiners, marks of direction, BOM.
    | dict.fromkeys("\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff", "")
)


@dataclass(frozen=True, slots=True)
class SmsSize:
    """What a text costs. `segments` is what is billed; a text of nothing is billed as one."""

    encoding: Literal["GSM-7", "UCS-2"]
    characters: int
    """Unicode characters."""
    units: int
    """Septets in GSM-7, 16-bit code units in UCS-2."""
    segments: int


@dataclass(frozen=True, slots=True)
class _Encoding:
    name: Literal["GSM-7", "UCS-2"]
    alone: int
    """Units that one SMS holds."""
    bits: int
    """Of one unit."""
    is_wide: Callable[[str], bool]
    """Whether a character takes two units, which are never parted, rather than one."""

    def units(self, text: str) -> int:
        return len(text) + sum(map(self.is_wide, text))

    def joined(self, header: int) -> int:
        """Units that each of several holds beside the header that joins them."""
        return (_OCTETS - header) * 8 // self.bits


_OCTETS = 140
"""Of user data in one SMS (TS 23.040 §9.2.3.16)."""

HEADER = 6
"""Octets of the header that joins several SMS by a reference of 8 bits (TS 23.040 §9.2.3.24.1)."""

_SEPTETS = _Encoding("GSM-7", 160, 7, _EXTENSION.__contains__)
_CODE_UNITS = _Encoding("UCS-2", 70, 16, _LAST_OF_BMP.__lt__)


def measure(text: str) -> SmsSize:
    """The size of a text as it is sent: one character beyond GSM-7 makes all of it UCS-2."""
    encoding = _encoding(text)
    units = encoding.units(text)
    segments = 1 if units <= encoding.alone else sum(1 for _ in _joined(text, encoding, HEADER))
    return SmsSize(encoding.name, len(text), units, segments)


def split(text: str, header: int = HEADER) -> list[str]:
    """The parts in which a text is sent, at least one; `header` is in octets.

    Neither an escape nor a surrogate pair is parted from what follows it.
    """
    encoding = _encoding(text)
    if encoding.units(text) <= encoding.alone:
        return [text]
    return list(_joined(text, encoding, header))


def septets(text: str) -> bytes | None:
    """A text in GSM-7, one septet to each octet; None if it is UCS-2."""
    return text.translate(_AS_SEPTETS).encode("ascii") if _GSM_7.issuperset(text) else None


def simplify(text: str) -> str:
    """The text with typographic characters as GSM-7 has them: straight quotes, -, plain spaces.

    It stays as it is where that would not make all of it GSM-7 (so no letter is ever
    replaced), or would make it longer by a segment (a text full of ellipses).
    """
    if _GSM_7.issuperset(text):
        return text
    simple = unicodedata.normalize("NFC", text).translate(_LIKENESSES)
    if not _GSM_7.issuperset(simple) or measure(simple).segments > measure(text).segments:
        return text
    return simple


def beyond_gsm_7(text: str) -> str:
    """The characters that make a text UCS-2, each once, in the order of the text."""
    return "".join(dict.fromkeys(one for one in text if one not in _GSM_7))


def _encoding(text: str) -> _Encoding:
    return _SEPTETS if _GSM_7.issuperset(text) else _CODE_UNITS


def _joined(text: str, encoding: _Encoding, header: int) -> Iterator[str]:
    start = room = 0
    for place, character in enumerate(text):
        width = 1 + encoding.is_wide(character)
        if width > room and place > start:
            yield text[start:place]
            start = place
        if place == start:
            room = encoding.joined(header)
        room -= width
    yield text[start:]
