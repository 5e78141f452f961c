"""Names that the texts use and nobody gives, and names that are given and nobody uses."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from communication.catalogue_snapshot import RESERVED
from communication.catalogue_source import Source
from tidings.templates.source import column_of


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


def unused_names(sources: Mapping[str, Source], declared: Collection[str]) -> set[str]:
    """Characteristics that no file uses."""
    return set(declared).difference(*(source.wanted for source in sources.values()))
