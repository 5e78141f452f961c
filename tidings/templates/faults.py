"""The catalogue's and the renderer's faults as findings: with a column, and with what to do."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from communication.catalogue.snapshot import Fault
from communication.catalogue.source import FILTERS
from tidings.templates.findings import Finding
from tidings.templates.source import column_of
from worker.templates.marks import MARK

_QUOTED = re.compile(r"'([^']+)'|\"([^\"]+)\"|(\S+/\S+)")
_GOES_ON = frozenset({"calls", "has", "is", "needs", "takes"})
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


_FILES: Collection[str] = ("the files that there are",)
_TAG_ENDS = {"end of print statement": "}}", "end of statement block": "%}"}
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
        re.compile("there is no test '(.+)'"),
        "unknown-filter",
        "“is {}” is nothing that Tidings knows.",
        "To ask whether something has a value, write {% if name %}.",
    ),
    _Words(
        re.compile("there is no file (.+)"),
        "missing-file",
        "There is no file {}.",
        "Write its path from the templates folder.",
        _FILES,
    ),
    _Words(
        re.compile("'?(.+?)'? is (?:another template's|no file in the templates folder)"),
        "missing-file",
        "{} can't be used here.",
        "Write a path from the templates folder: of this template's own, such as "
        "delivery-progress/headline.txt, or of a shared one, such as _partials/footer.txt.",
        _FILES,
    ),
    _Words(
        re.compile("(.+) comes to itself again"),
        "circle",
        "This leads back to {}, round and round.",
        "No file can include itself, nor one that includes it.",
    ),
    _Words(
        re.compile(r"[Ee]ncountered unknown tag '(\w+)'"),
        "syntax",
        "{{% {} %}} is nothing that Tidings knows.",
        "Take it away.",
        _TAGS,
    ),
    _Words(
        re.compile("(?:got|unexpected(?: char)?) '(end of (?:print statement|statement block))'"),
        "syntax",
        "Something is missing before “{}”.",
        "Write the name of a characteristic, or take the braces away.",
    ),
    _Words(
        re.compile("(?:got|unexpected(?: char)?) '(.+?)'"),
        "syntax",
        "“{}” can't stand here.",
        "A name has no spaces in it; words to be shown stand outside of the braces, or in quotes.",
    ),
    _Words(
        re.compile("(missing end of raw directive)", re.IGNORECASE),
        "unclosed-tag",
        "{{% raw %}} is never closed.",
        "Write {% endraw %} where the part that it begins should end.",
    ),
    _Words(
        re.compile("(tag name expected)", re.IGNORECASE),
        "syntax",
        "A word is missing after “{{%”.",
        "Write, for example, {% if … %} or {% include … %}.",
    ),
    _Words(
        re.compile("(cannot use extend)", re.IGNORECASE),
        "syntax",
        "{{% extends … %}} can't stand inside of another part.",
        "Move it to the first line.",
    ),
    _Words(
        re.compile("Unsupported date/time field '(.+)'"),
        "syntax",
        "“{}” is no way to write a date.",
        "Write short, medium, long or full, in quotes.",
    ),
    _Words(
        re.compile("CSS: (.+?)[.]?$"),
        "css",
        "The CSS in <style> can't be read: {}.",
        "Look for a semicolon, a colon or a brace that is missing, or one too many.",
    ),
    _Words(
        re.compile("MJML: (?:unable to parse|unexpected end|unable to find)()"),
        "mjml",
        "This is not MJML from its first to its last tag.",
        "It begins with <mjml> and <mj-body>, ends with </mj-body> and </mjml>, and every other "
        "<mj-…> is closed too.",
    ),
    _Words(
        re.compile("MJML: unexpected .*?, at:(.*)", re.DOTALL),
        "mjml",
        "This is no MJML from here on: {}",
        "Look for a tag that is not closed, or a value that does not stand in quotes.",
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
    said = MARK.sub("…", said)
    for words in _WORDS:
        if match := words.pattern.search(said):
            known = texts if words.known is _FILES else words.known
            alike = get_close_matches(match[1], known, n=1)
            advice = f"Did you mean {alike[0]}?" if alike else words.advice
            caught = _TAG_ENDS.get(match[1], match[1])
            return words.rule, words.message.format(caught), advice
    what, _, advice = said.partition("; ")
    return "broken", _sentence(what), _sentence(advice or "mend this line")


def _sentence(text: str) -> str:
    """Of a text that may go on where a file's name was: `is empty`."""
    text = text.strip()
    if text.split(" ", 1)[0] in _GOES_ON:
        text = f"this {text}"
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "?")) else ".")


def _column(message: str, source: str, line: int) -> int:
    """Of what the message quotes; 1 if it quotes nothing of that line."""
    for groups in _QUOTED.findall(message):
        column = column_of(source, line, next(filter(None, groups)))
        if column > 1:
            return column
    return 1
