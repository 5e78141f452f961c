"""Names that the texts use and nobody gives, and names that are given and nobody uses."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from communication.catalogue.snapshot import RESERVED
from communication.catalogue.source import Source
from tidings.templates.source import column_of, place, words

_MISSED = re.compile(r"\{\s*(?P<braced>\w+)\s*\}|\$(?P<dollar>[^\W\d]\w*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownName:
    """A name that is no characteristic, where a file first uses it."""

    name: str
    file: str
    line: int
    column: int
    is_needed: bool
    """Whether the text can't do without: it does not ask whether the name is defined."""
    alike: str = ""
    """The characteristic that was meant, perhaps."""


def unknown_names(
    sources: Mapping[str, Source], texts: Mapping[str, str], declared: Collection[str]
) -> Iterator[UnknownName]:
    """Names that the files take from outside, and that nothing outside gives.

    What one of the files sets is known to all: an include in a loop sees the loop's variable.
    """
    known = {*declared, *RESERVED}.union(*(source.assigned for source in sources.values()))
    for file, source in sources.items():
        for name, line in source.wanted.items():
            if name not in known:
                alike = get_close_matches(name, known, n=1)
                yield UnknownName(
                    name=name,
                    file=file,
                    line=line,
                    column=column_of(texts[file], line, name),
                    is_needed=name not in source.optional,
                    alike=alike[0] if alike else "",
                )


@dataclass(frozen=True, slots=True)
class MissedName:
    """A characteristic's name that is written in a way that does not put in its value."""

    name: str
    written: str
    line: int
    column: int


def missed_names(text: str, declared: Collection[str]) -> Iterator[MissedName]:
    """`{name}`, and `$name` as in messages that have no template."""
    for start, piece in words(text):
        for match in _MISSED.finditer(piece):
            name = match["braced"] or match["dollar"]
            if name in declared:
                yield MissedName(name, match[0], *place(text, start + match.start()))


def unused_names(sources: Mapping[str, Source], declared: Collection[str]) -> set[str]:
    """Characteristics that no file uses."""
    return set(declared).difference(*(source.wanted for source in sources.values()))
