"""The catalogue's and the renderer's faults as findings: with a column, and with what to do."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from communication.catalogue_snapshot import Fault
from communication.catalogue_source import FILTERS
from tidings.templates.findings import Finding
from tidings.templates.source import column_of

_QUOTED = re.compile(r"'([^']+)'|\"([^\"]+)\"|(\S+/\S+)")
_TAGS = frozenset(
    {"block", "elif", "else", "extends", "for", "from", "if", "import", "include", "set"}
)


@dataclass(frozen=True, slots=True)
class _Words:
    """How a fault of the engine's is said to authors; `{}` is what its pattern caught."""

    pattern: re.Pattern[str]
    rule: str
    message: str
    advice: str
    known: Collection[str] = ()
    """What may have been meant."""


_FILES: Collection[str] = ("the template's own",)
_WORDS = (
    _Words(
        re.compile("is empty with these values()"),
        "empty",
        "Nothing comes out of this.",
        "Write words for this case too.",
    ),
    _Words(
        re.compile("(takes too long|too much memory|ended its process)"),
        "too-slow",
        "This takes too much time or memory.",
        "Look for a loop that goes on and on, or a text that is repeated too often.",
    ),
    _Words(
        re.compile("has no attribute '(.+)'"),
        "unknown-variable",
        "There is no “{}” in what stands before it.",
        "Write it as the example in template.toml has it.",
    ),
    _Words(
        re.compile("unknown variable '(.+)'"),
        "unknown-variable",
        "“{}” has no value here.",
        "Write {% if … %} around it where it may be absent, or correct the name.",
    ),
    _Words(
        re.compile("there is no filter '(.+)'"),
        "unknown-filter",
        "“|{}” is nothing that Tidings knows.",
        "After | stands, for example, date or currency.",
        FILTERS,
    ),
    _Words(
        re.compile("there is no file (.+)"),
        "missing-file",
        "There is no file {}.",
        "Write its path from the templates folder.",
        _FILES,
    ),
    _Words(
        re.compile(r"Encountered unknown tag '(\w+)'"),
        "syntax",
        "{{% {} %}} is nothing that Tidings knows.",
        "Take it away.",
        _TAGS,
    ),
    _Words(
        re.compile("expected token .*, got '(.+)'"),
        "syntax",
        "“{}” can't stand here.",
        "A name has no spaces in it; words to be shown stand outside of the braces, or in quotes.",
    ),
)


def finding_of(name: str, fault: Fault, texts: Mapping[str, str]) -> Finding:
    """A fault that the catalogue or a rendering met, in words for authors."""
    file = fault.file or name
    line = fault.line or 1
    rule, message, advice = _explained(fault.message, texts)
    return Finding(
        template=name,
        file=file,
        line=line,
        column=fault.column or _column(fault.message, texts.get(file, ""), line),
        rule=rule,
        message=message,
        advice=advice,
    )


def _explained(said: str, texts: Collection[str]) -> tuple[str, str, str]:
    for words in _WORDS:
        if match := words.pattern.search(said):
            known = texts if words.known is _FILES else words.known
            alike = get_close_matches(match[1], known, n=1)
            advice = f"Did you mean {alike[0]}?" if alike else words.advice
            return words.rule, words.message.format(match[1]), advice
    what, _, advice = said.partition("; ")
    return "broken", _sentence(what), _sentence(advice or "mend this line")


def _sentence(text: str) -> str:
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "?")) else ".")


def _column(message: str, source: str, line: int) -> int:
    """Of what the message quotes; 1 if it quotes nothing of that line."""
    for groups in _QUOTED.findall(message):
        column = column_of(source, line, next(filter(None, groups)))
        if column > 1:
            return column
    return 1
