"""HTML pages from MJML or HTML: compiled, with their CSS inlined, and with a text part."""

import re
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

import css_inline
import mjml
from markupsafe import escape

from worker.templates.attributes import restored
from worker.templates.marks import MARK
from worker.templates.plain_text import text_of, tidied

K = TypeVar("K")
V = TypeVar("V")

MOST_PAGES = 32
_TAG = re.compile(r"<[a-zA-Z](?:[^>\"']|\"[^\"]*\"|'[^']*')*>")
_RAW = re.compile(r"<(style|script|mj-style|mj-attributes)\b.*?</\1\s*>", re.DOTALL | re.IGNORECASE)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_CARRIED = re.compile(
    r"\b(?:href|src|alt|title|aria-label|content)\s*=\s*(?:\"[^\"]*\"|'[^']*')", re.IGNORECASE
)
"""Attributes that nothing looks into on the way, unless a style does:"""
_SELECTED = re.compile(r"\[\s*(?:href|src|alt|title|aria-label|content)\b", re.IGNORECASE)
_ADDRESS = re.compile(
    rf"\b(?:href|src|action|background)\s*=\s*[\"']\s*{MARK.pattern}", re.IGNORECASE
)
_SCHEME = re.compile(r"[\x00-\x20]*([a-zA-Z][a-zA-Z0-9+.\-\s]*):")
_SCHEMES = frozenset(("http", "https", "mailto", "tel", "sms", "cid"))
_POSITION = re.compile(r" in root template(?: at position (\d+):(\d+))?$")
_SHOWN = 60


class PageError(Exception):
    """MJML or HTML that can't be laid out; the text says why."""


@dataclass(frozen=True)
class Page:
    """A laid out page with marks for its values."""

    markup: str
    addresses: frozenset[int]
    """Marks that begin the address of a link or an image."""
    _parts: list[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_parts", MARK.split(self.markup))

    def html(self, values: Sequence[str]) -> str:
        """The page with its values, escaped. PageError for an address that would run code."""
        for place in self.addresses:
            _check_address(values[place])
        return "".join(_filled(self._parts, [str(escape(value)) for value in values]))

    def text(self, values: Sequence[str]) -> str:
        """The page as text, with its values."""
        return tidied("".join(_filled(self._text_parts, [" ".join(v.split()) for v in values])))

    @cached_property
    def _text_parts(self) -> list[str]:
        return MARK.split(text_of(self.markup))


class PageMaker:
    """Lays out pages, and remembers those that it made lately."""

    def __init__(self) -> None:
        self._fixed: OrderedDict[str, tuple[int, ...]] = OrderedDict()
        self._pages: OrderedDict[tuple[str, ...], Page] = OrderedDict()

    def page(self, source: str, values: Sequence[str]) -> Page:
        """The page of MJML or HTML with marks for these values. PageError."""
        fixed = self._fixed.get(source)
        if fixed is None:
            fixed = tuple(sorted(_fixed(source, len(values))))
            _remember(self._fixed, source, fixed)
        key = (source, *(values[place] for place in fixed))
        page = self._pages.get(key)
        if page is None:
            page = _lay_out(_with(source, values, fixed))
            _remember(self._pages, key, page)
        return page


def _remember(recent: OrderedDict[K, V], key: K, value: V) -> None:
    recent[key] = value
    if len(recent) > MOST_PAGES:
        recent.popitem(last=False)


def _fixed(source: str, count: int) -> set[int]:
    """Marks for which layout must see the value itself: in styles, classes, widths and the like."""
    raw = [match[0] for match in (*_RAW.finditer(source), *_COMMENT.finditer(source))]
    looked_into = any(_SELECTED.search(text) for text in raw)
    inside = [
        match[0] if looked_into else _CARRIED.sub("", match[0]) for match in _TAG.finditer(source)
    ]
    return {place for text in (*raw, *inside) for place in _places(text) if place < count}


def _places(text: str) -> Iterator[int]:
    return (int(number) for number in MARK.findall(text))


def _with(source: str, values: Sequence[str], fixed: Sequence[int]) -> str:
    if not fixed:
        return source
    wanted = frozenset(fixed)

    def value(match: re.Match[str]) -> str:
        place = int(match[1])
        return str(escape(values[place])) if place in wanted else match[0]

    return MARK.sub(value, source)


def _lay_out(source: str) -> Page:
    markup = _inlined(_compiled(source) if _is_mjml(source) else source)
    return Page(markup, frozenset(int(place) for place in _ADDRESS.findall(markup)))


def _is_mjml(source: str) -> bool:
    return source.lstrip()[:5].lower() == "<mjml"


def _compiled(source: str) -> str:
    try:
        return restored(
            mjml.mjml2html(source, disable_comments=True, fonts={}, include_loader=_no_include)
        )
    except ValueError as error:
        raise PageError(_explained(source, str(error))) from error


def _no_include(path: str) -> str:  # noqa: ARG001 - called by this name
    """Nothing is read: templates include by {% include %}."""
    raise PermissionError("mj-include")


def _explained(source: str, message: str) -> str:
    place = _POSITION.search(message)
    what = _POSITION.sub("", message)
    if "include" in what:
        what = 'mj-include is not there; write {% include "_partials/…" %}'
    if place is None or place[1] is None:
        return f"MJML: {what}"
    near = " ".join(source[int(place[1]) : int(place[1]) + _SHOWN].split())
    return f"MJML: {what}, at: {near}"


def _inlined(markup: str) -> str:
    try:
        return _INLINER.inline(markup)
    except ValueError as error:
        raise PageError(f"CSS: {error}") from error


def _check_address(value: str) -> None:
    scheme = _SCHEME.match(value)
    if scheme and "".join(scheme[1].split()).lower() not in _SCHEMES:
        raise PageError(f"an address may not begin with {scheme[1][:_SHOWN]!r}:")


def _filled(parts: Sequence[str], values: Sequence[str]) -> Iterator[str]:
    """What MARK.split made: every second part is a mark's number."""
    for number, part in enumerate(parts):
        yield values[int(part)] if number % 2 else part


_INLINER = css_inline.CSSInliner(load_remote_stylesheets=False, keep_at_rules=True)
