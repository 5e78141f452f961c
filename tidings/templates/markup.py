"""Faults of HTML and MJML as they come out, at the place where an author wrote them.

Before a source is rendered, a mark is put before each of its HTML tags; what comes out then
tells of every tag from which file and place it is, through layouts, partials and loops.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from html.parser import HTMLParser
from urllib.parse import urlsplit

from tidings.templates.balance import Edge, unmatched
from tidings.templates.findings import Severity
from tidings.templates.source import place, words

_MARK = re.compile("\ue000([0-9]+):([0-9]+)\ue001")
_TAG = re.compile(r"<(?=/?[a-zA-Z])")
_VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"}
)
_CLOSED_BY_THEMSELVES = frozenset(
    {"dd", "dt", "li", "option", "p", "tbody", "td", "tfoot", "th", "thead", "tr"}
)
"""Browsers close these where the next begins: untidy, but nobody sees it."""
_LINKS = frozenset({"href", "src", "background", "action"})
_SCHEMES = frozenset({"https", "mailto", "tel", "sms", "cid", "data"})
# fmt: off
_MJML = frozenset({
    "mjml",
    "mj-head", "mj-body", "mj-attributes", "mj-all", "mj-class", "mj-breakpoint", "mj-font",
    "mj-html-attributes", "mj-preview", "mj-style", "mj-title", "mj-accordion",
    "mj-accordion-element", "mj-accordion-text", "mj-accordion-title", "mj-button", "mj-carousel",
    "mj-carousel-image", "mj-column", "mj-divider", "mj-group", "mj-hero", "mj-image",
    "mj-include", "mj-navbar", "mj-navbar-link", "mj-raw", "mj-section", "mj-social",
    "mj-social-element", "mj-spacer", "mj-table", "mj-text", "mj-wrapper",
})
# fmt: on


@dataclass(frozen=True, slots=True)
class Flaw:
    """One fault of the markup, and where its tag was written."""

    file: str
    line: int
    column: int
    rule: str
    severity: Severity
    message: str
    advice: str


def marked(sources: Mapping[str, str]) -> dict[str, str]:
    """The sources with a mark before each HTML tag; only those that can hold markup get them."""
    return {
        name: _with_marks(number, source) if name.endswith((".html", ".mjml")) else source
        for number, (name, source) in enumerate(sources.items())
    }


def without_marks(text: str) -> str:
    """A rendered text as it would be without them."""
    return _MARK.sub("", text)


def flaws(rendered: str, sources: Mapping[str, str]) -> list[Flaw]:
    """What is wrong with markup that was rendered from the marked sources."""
    reader = _Reader(sources)
    reader.feed(rendered)
    reader.close()
    return reader.flaws


def _with_marks(number: int, source: str) -> str:
    pieces: list[str] = []
    end = 0
    for start, piece in words(source):
        for tag in _TAG.finditer(piece):
            pieces.append(source[end : start + tag.start()])
            end = start + tag.start()
            pieces.append(f"\ue000{number}:{end}\ue001")
    return "".join([*pieces, source[end:]])


@dataclass(frozen=True, slots=True)
class _Tag:
    edge: Edge
    at: tuple[int, int]


class _Reader(HTMLParser):
    def __init__(self, sources: Mapping[str, str]) -> None:
        super().__init__(convert_charrefs=True)
        self.flaws: list[Flaw] = []
        self._sources = list(sources.items())
        self._tags: list[_Tag] = []
        self._at = (0, 0)

    def handle_data(self, data: str) -> None:
        for match in _MARK.finditer(data):
            self._at = (int(match[1]), int(match[2]))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._look_at(tag, attrs)
        if tag not in _VOID:
            self._tags.append(_Tag(Edge(tag, is_end=False), self._at))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._look_at(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID:
            self._tags.append(_Tag(Edge(tag, is_end=True), self._at))

    def close(self) -> None:
        """Weigh the tags against each other, now that all are known."""
        super().close()
        alone = unmatched([tag.edge for tag in self._tags])
        for number in sorted(alone):
            tag = self._tags[number]
            if tag.edge.is_end:
                self._closes_nothing(tag)
            else:
                self._never_closed(tag, before=self._end_after(number, alone))

    def _end_after(self, number: int, alone: set[int]) -> str:
        """What ends around an element that has no end of its own."""
        depth = 0
        for later in range(number + 1, len(self._tags)):
            if later not in alone:
                depth += -1 if self._tags[later].edge.is_end else 1
            if depth < 0:
                return self._tags[later].edge.name
        return ""

    def _closes_nothing(self, tag: _Tag) -> None:
        name = tag.edge.name
        self._add(
            tag.at,
            "unclosed-tag",
            f"</{name}> closes nothing: no <{name}> is open here.",
            f"Take it away, or write <{name}> where it should begin.",
        )

    def _never_closed(self, tag: _Tag, *, before: str) -> None:
        name = tag.edge.name
        where = f" before </{before}>" if before else ""
        self._add(
            tag.at,
            "unclosed-tag",
            f"<{name}> is never closed{where}.",
            f"Write </{name}> where it should end.",
            Severity.WARNING if name in _CLOSED_BY_THEMSELVES else Severity.ERROR,
        )

    def _look_at(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: without_marks(value or "") for name, value in attrs}
        if tag.startswith("mj") and tag not in _MJML:
            self._unknown(tag)
        if tag in {"img", "mj-image", "mj-carousel-image"} and "alt" not in attributes:
            self._add(
                self._at,
                "image-without-alt",
                f"<{tag}> has no alt: who can't see the image gets nothing.",
                'Write alt="what the image says", or alt="" if it is only decoration.',
            )
        if tag == "html" and not attributes.get("lang"):
            self._add(
                self._at,
                "no-language",
                "<html> has no lang: screen readers don't know how to pronounce the text.",
                'Write the language, such as <html lang="en">.',
                Severity.WARNING,
            )
        for name in attributes.keys() & _LINKS:
            self._look_at_link(tag, name, attributes[name].strip())

    def _look_at_link(self, tag: str, attribute: str, address: str) -> None:
        fault = _fault_of(address)
        if fault:
            self._add(
                self._at,
                "link-not-https",
                f'{attribute}="{address}" of <{tag}> {fault}.',
                "Write the whole address, beginning with https://."
                if address
                else "Write the address; put {% if … %} around the link where it may be absent.",
            )

    def _unknown(self, tag: str) -> None:
        alike = get_close_matches(tag, _MJML, n=1)
        advice = f"Did you mean <{alike[0]}>?" if alike else "See the elements at mjml.io."
        self._add(self._at, "unknown-tag", f"MJML has no <{tag}>.", advice)

    def _add(
        self,
        at: tuple[int, int],
        rule: str,
        message: str,
        advice: str,
        severity: Severity = Severity.ERROR,
    ) -> None:
        name, source = self._sources[at[0]]
        line, column = place(source, at[1])
        self.flaws.append(Flaw(name, line, column, rule, severity, message, advice))


def _fault_of(address: str) -> str:
    if not address:
        return "leads nowhere"
    if address.startswith("#"):
        return ""
    try:
        scheme = urlsplit(address).scheme.lower()
    except ValueError:
        return "is no address"
    if not scheme:
        return "is no whole address: an email has no site of its own"
    return "" if scheme in _SCHEMES else f"begins with {scheme}: instead of https:"


def insecure_addresses(source: str) -> Iterator[tuple[int, int]]:
    """Where plain text that an author wrote has http://, as line and column."""
    for start, piece in words(source):
        for match in re.finditer(r"\bhttp://", piece):
            yield place(source, start + match.start())
