"""Regular expressions that clients may send: bounded, and of one meaning on every engine.

A pattern is read here and written anew in a form that RE2 and PostgreSQL understand alike,
so that a list is the same whichever of them searches. What only one of them has (word
boundaries, Unicode classes, back-references, looking around) is refused. A pattern is
searched for anywhere in the text unless it is anchored; `.` is any character, line ends too.
"""

import re
import sys
from functools import lru_cache
from typing import Any, NamedTuple

import re2

LONGEST = 200
"""Characters in a pattern."""

_MOST_REPEATS = 100
_MOST_WORK = 1000  # characters that the pattern stands for when its repetitions are written out
_DEEPEST = 10
_MEMORY = 1 << 20
_SPECIAL = frozenset(r"\.+*?()|[]{}^$-")
_CONTROLS = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}
_CLASSES = {"d": "0-9", "w": "0-9A-Za-z_", "s": "\t\n\f\r "}
_CLASS = re.compile(r"\\([dws])", re.IGNORECASE)
_CODE = re.compile(r"\\x(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]{1,6})\})")
_QUANTIFIER = re.compile(r"([*+?]|\{([0-9]{1,4})(,?)([0-9]{0,4})\})\??")
_SURROGATES = range(0xD800, 0xE000)


class PatternError(ValueError):
    """A pattern that is not understood; the text says why, for the client."""


def rewritten(pattern: str) -> str:
    """The pattern in the form that `found` and PostgreSQL's `~` read alike, or PatternError."""
    if len(pattern) > LONGEST:
        raise PatternError(f"is longer than {LONGEST} characters")
    folds = pattern.startswith("(?i)")
    text = _Reader(pattern.removeprefix("(?i)"), folds=folds).whole()
    try:
        _compiled(text)
    except re2.error as error:
        raise PatternError("is too complex") from error
    return text


def found(rewritten_pattern: str, text: str) -> bool:
    """Whether a rewritten pattern occurs in the text. Linear in the text's length."""
    return _compiled(rewritten_pattern).search(text) is not None


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> Any:
    options = re2.Options()
    options.dot_nl = True
    options.log_errors = False
    options.never_capture = True
    options.max_mem = _MEMORY
    return re2.compile(pattern, options)


class _Part(NamedTuple):
    text: str
    work: int


class _Reader:
    """Reads a pattern from left to right; every method returns what it read, rewritten."""

    def __init__(self, pattern: str, *, folds: bool) -> None:
        self._left = pattern
        self._folds = folds
        self._depth = 0

    def whole(self) -> str:
        read = self._alternatives()
        if self._left:
            raise PatternError("has a ) without its (")
        return read.text

    def _alternatives(self) -> _Part:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise PatternError(f"has groups nested deeper than {_DEEPEST - 1}")
        parts = [self._sequence()]
        while self._take("|"):
            parts.append(self._sequence())
        self._depth -= 1
        return _Part("|".join(part.text for part in parts), sum(part.work for part in parts))

    def _sequence(self) -> _Part:
        parts = []
        while self._left and self._left[0] not in "|)":
            parts.append(self._repeated())
        return _Part("".join(part.text for part in parts), sum(part.work for part in parts))

    def _repeated(self) -> _Part:
        if self._left[0] in "^$":
            return _Part(self._next(), 1)
        if _QUANTIFIER.match(self._left):
            raise PatternError("has a repetition with nothing, or another repetition, before it")
        atom = self._atom()
        quantifier = self._match(_QUANTIFIER)
        if quantifier is None:
            return atom
        low, high = int(quantifier[2] or 0), int(quantifier[4] or quantifier[2] or 1)
        if not low <= high <= _MOST_REPEATS or atom.work * high > _MOST_WORK:
            raise PatternError(f"repeats more than {_MOST_REPEATS} times, or too much in all")
        return _Part(atom.text + quantifier[1], atom.work * max(high, 1))

    def _atom(self) -> _Part:
        if self._take("("):
            return self._group()
        if self._take("["):
            return _Part(self._bracket(), 1)
        if self._take("."):
            return _Part(".", 1)
        named = self._match(_CLASS)
        if named:
            negated = "^" if named[1].isupper() else ""
            return _Part(f"[{negated}{_CLASSES[named[1].lower()]}]", 1)
        return _Part(self._literal(self._character()), 1)

    def _group(self) -> _Part:
        if self._left.startswith("?") and not self._take("?:"):
            raise PatternError("may use only the groups (…) and (?:…), and (?i) at its start")
        inside = self._alternatives()
        if not self._take(")"):
            raise PatternError("has a ( without its )")
        return _Part(f"(?:{inside.text})", inside.work + 1)

    def _bracket(self) -> str:
        negated = "^" if self._take("^") else ""
        items = []
        while not self._take("]"):
            if self._left[:2] in ("[:", "[=", "[."):
                raise PatternError("may not use [: :] classes")
            items.append(self._bracket_item())
        if not items:
            raise PatternError("has empty brackets; write \\] for a bracket inside brackets")
        return f"[{negated}{''.join(items)}]"

    def _bracket_item(self) -> str:
        named = self._match(_CLASS)
        if named and named[1].isupper():
            raise PatternError(f"may not use \\{named[1]} inside brackets")
        if named:
            return _CLASSES[named[1]]
        first = self._character()
        if self._left[:1] != "-" or self._left[:2] == "-]":
            return "".join(map(_escaped, self._variants(first)))
        self._next()
        return self._range(first, self._character())

    def _range(self, first: str, last: str) -> str:
        if first > last:
            raise PatternError(f"has the range {first}-{last}, which is upside down")
        folded = _other_case(first, last) if self._folds else []
        ranges = [(first, last), *folded]
        return "".join(f"{_escaped(low)}-{_escaped(high)}" for low, high in ranges)

    def _literal(self, character: str) -> str:
        variants = "".join(map(_escaped, self._variants(character)))
        return variants if variants == _escaped(character) else f"[{variants}]"

    def _variants(self, character: str) -> list[str]:
        cases = [character, character.lower(), character.upper()] if self._folds else [character]
        return list(dict.fromkeys(case for case in cases if len(case) == 1))

    def _character(self) -> str:
        if not self._left:
            raise PatternError("ends too early")
        code = self._match(_CODE)
        if code:
            return _character_of(int(code[1] or code[2], 16))
        if not self._take("\\"):
            return self._next()
        if self._left[:1] in _CONTROLS and self._left:
            return _CONTROLS[self._next()]
        if not self._left or self._left[0].isalnum() or not self._left[0].isascii():
            raise PatternError(f"uses \\{self._left[:1]}, which is not understood")
        return self._next()

    def _match(self, what: re.Pattern[str]) -> re.Match[str] | None:
        match = what.match(self._left)
        if match:
            self._left = self._left[match.end() :]
        return match

    def _take(self, text: str) -> bool:
        taken = self._left.startswith(text)
        if taken:
            self._left = self._left[len(text) :]
        return taken

    def _next(self) -> str:
        character, self._left = self._left[0], self._left[1:]
        return character


def _escaped(character: str) -> str:
    return f"\\{character}" if character in _SPECIAL else character


def _character_of(code: int) -> str:
    if code == 0 or code in _SURROGATES or code > sys.maxunicode:
        raise PatternError("names a character that texts can't hold")
    return chr(code)


def _other_case(first: str, last: str) -> list[tuple[str, str]]:
    """The parts of an ASCII range that are letters, in their other case."""
    other = []
    for low, high in (("a", "z"), ("A", "Z")):
        start, end = max(first, low), min(last, high)
        if start <= end:
            other.append((start.swapcase(), end.swapcase()))
    return other
