"""Places in the text that an author wrote."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TAG = re.compile(
    r"""
      (?P<raw>\{%[-+]?\s*raw\s*[-+]?%\}.*?\{%[-+]?\s*endraw\s*[-+]?%\})
    | (?P<comment>\{\#.*?\#\})
    | \{%[-+]?(?P<statement>(?:"[^"]*"|'[^']*'|[^"'])*?)[-+]?%\}
    | \{\{[-+]?(?P<output>(?:"[^"]*"|'[^']*'|[^"'])*?)[-+]?\}\}
    """,
    re.DOTALL | re.VERBOSE,
)
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Tag:
    """One `{% … %}` or `{{ … }}`. `content` is what stands between."""

    is_statement: bool
    content: str
    start: int

    @property
    def word(self) -> str:
        """The word that a statement begins with."""
        match = _WORD.match(self.content)
        return match[0] if match else ""


def tags(source: str) -> Iterator[Tag]:
    """The tags of a source but for comments, and for what stands in `{% raw %}`."""
    for match in _TAG.finditer(source):
        if match["statement"] is not None:
            yield Tag(is_statement=True, content=match["statement"].strip(), start=match.start())
        elif match["output"] is not None:
            yield Tag(is_statement=False, content=match["output"].strip(), start=match.start())


def words(source: str) -> Iterator[tuple[int, str]]:
    """The pieces of a source that stand between its tags, each with its offset."""
    end = 0
    for match in _TAG.finditer(source):
        yield end, source[end : match.start()]
        end = match.end()
    yield end, source[end:]


def place(source: str, offset: int) -> tuple[int, int]:
    """Line and column, from 1, of an offset."""
    line_start = source.rfind("\n", 0, offset) + 1
    return source.count("\n", 0, offset) + 1, offset - line_start + 1


def column_of(source: str, line: int, name: str) -> int:
    """The column, from 1, of a name in a line; 1 if it is not there."""
    lines = source.split("\n")
    if not 0 < line <= len(lines):
        return 1
    match = re.search(rf"(?<![\w.]){re.escape(name)}(?!\w)", lines[line - 1])
    match = match or re.search(rf"(?<!\w){re.escape(name)}(?!\w)", lines[line - 1])
    return match.start() + 1 if match else 1
