"""Braces and `{% … %}` that are not closed, found where they begin rather than where they end.

Jinja speaks of the end of the file, or of the tag that came too early; an author needs the
place of the tag that was forgotten.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tidings.templates.source import Tag, place, tags, words

_PAIRED = frozenset({"autoescape", "block", "call", "filter", "for", "if", "macro", "with"})
_BRANCHES = {"elif": ("if",), "else": ("if", "for")}
_OPEN_BRACE = re.compile(r"\{\{|\{%|\{#")
_CLOSED_BY = {"{{": "}}", "{%": "%}", "{#": "#}"}
_STRING = re.compile(r"\"[^\"]*\"|'[^']*'")
_STRAY = re.compile(r"\}\}|%\}|#\}")
_OPENED_BY = {close: opening for opening, close in _CLOSED_BY.items()}


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a piece of a source, and what to do."""

    line: int
    column: int
    message: str
    advice: str


def unbalanced(source: str, *, plain_text: bool) -> list[Fault]:
    """Everything that is opened and not closed, or closed and not opened.

    In CSS `}}` is common, so stray closing braces are looked for in plain text alone.
    """
    braces = list(_open_braces(source)) + (list(_stray_braces(source)) if plain_text else [])
    return braces or list(_unpaired(source))


def _open_braces(source: str) -> Iterator[Fault]:
    for start, piece in words(source):
        if match := _OPEN_BRACE.search(piece):
            yield _never_ends(source, start + match.start(), match[0])
    for tag in tags(source):
        # One that is not closed reaches to the end of the next.
        if _OPEN_BRACE.search(_STRING.sub("", tag.content)):
            yield _never_ends(source, tag.start, source[tag.start : tag.start + 2])


def _never_ends(source: str, start: int, opening: str) -> Fault:
    closing = _CLOSED_BY[opening]
    return Fault(
        *place(source, start),
        f"“{opening}” is never closed by “{closing}”.",
        f"Write {closing} where it should end.",
    )


def _stray_braces(source: str) -> Iterator[Fault]:
    for start, piece in words(source):
        if (match := _STRAY.search(piece)) and not _OPEN_BRACE.search(piece):
            opening = _OPENED_BY[match[0]]
            yield Fault(
                *place(source, start + match.start()),
                f"“{match[0]}” stands here without “{opening}” before it.",
                f"Write {opening} where it should begin, or take it away.",
            )


def _unpaired(source: str) -> Iterator[Fault]:
    opened: list[Tag] = []
    for tag in tags(source):
        if _opens(tag):
            opened.append(tag)
        elif tag.is_statement and tag.word.startswith("end"):
            if not opened:
                yield _closes_nothing(source, tag)
            elif opened[-1].word != tag.word.removeprefix("end"):
                yield _wrong_order(source, opened[-1], tag)
                return
            else:
                opened.pop()
        elif tag.is_statement and not _is_branch_of(tag, opened[-1:]):
            yield _outside(source, tag)
    yield from (_never_closed(source, tag) for tag in opened)


def _is_branch_of(tag: Tag, innermost: list[Tag]) -> bool:
    """Whether {% else %} or {% elif %} belongs to what is open; other tags belong anywhere."""
    if tag.word not in _BRANCHES:
        return True
    return any(one.word in _BRANCHES[tag.word] for one in innermost)


def _opens(tag: Tag) -> bool:
    if not tag.is_statement:
        return False
    return tag.word in _PAIRED or (tag.word == "set" and "=" not in tag.content)


def _closes_nothing(source: str, tag: Tag) -> Fault:
    return Fault(
        *place(source, tag.start),
        f"{{% {tag.word} %}} closes nothing: no {{% {tag.word.removeprefix('end')} … %}} is open.",
        f"Take it away, or write {{% {tag.word.removeprefix('end')} … %}} before it.",
    )


def _wrong_order(source: str, opening: Tag, closing: Tag) -> Fault:
    line, _ = place(source, closing.start)
    return Fault(
        *place(source, opening.start),
        f"{{% {opening.word} … %}} is not closed before {{% {closing.word} %}} in line {line}.",
        f"Write {{% end{opening.word} %}} before that, where this part should end.",
    )


def _outside(source: str, tag: Tag) -> Fault:
    return Fault(
        *place(source, tag.start),
        f"{{% {tag.word} %}} does not stand between {{% if … %}} and {{% endif %}}.",
        "Move it between them, or take it away.",
    )


def _never_closed(source: str, tag: Tag) -> Fault:
    return Fault(
        *place(source, tag.start),
        f"{{% {tag.word} … %}} is never closed.",
        f"Write {{% end{tag.word} %}} where the part that it begins should end.",
    )
