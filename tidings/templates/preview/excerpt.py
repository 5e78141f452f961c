"""The lines around a fault, for an author to see where it is."""

from collections.abc import Mapping
from dataclasses import dataclass

from tidings.templates.findings import Finding

_AROUND = 3


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a file. Of the marked one, `text` is what stands before the fault."""

    number: int
    text: str
    rest: str = ""
    marked: bool = False


def excerpt(finding: Finding, texts: Mapping[str, str]) -> list[Line]:
    """The faulty line, marked, with some before and after it; none for a fault of no file."""
    lines = texts.get(finding.file, "").split("\n")
    if not lines[-1] and finding.line < len(lines):
        lines.pop()
    first = max(finding.line - _AROUND, 1)
    last = min(finding.line + _AROUND, len(lines))
    if finding.file not in texts or finding.line > len(lines):
        return []
    return [_line(number, lines[number - 1], finding) for number in range(first, last + 1)]


def _line(number: int, text: str, finding: Finding) -> Line:
    if number != finding.line:
        return Line(number, text)
    start = (
        finding.column - 1 if 1 < finding.column <= len(text) else len(text) - len(text.lstrip())
    )
    return Line(number, text[:start], text[start:], marked=True)
