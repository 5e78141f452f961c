"""The text part of an email, derived from its HTML."""

import re
from html.parser import HTMLParser

_SKIPPED = frozenset(("head", "style", "script", "template", "title"))
_VOID = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr")
)
_APART = frozenset(
    ("blockquote", "figure", "h1", "h2", "h3", "h4", "h5", "h6", "ol", "p", "pre", "table", "ul")
)
_BLOCKS = _APART | {
    *("address", "article", "body", "caption", "dd", "div", "dl", "dt", "footer", "header", "li"),
    *("main", "nav", "section", "tbody", "td", "th", "thead", "tr"),
}
_CELLS = frozenset(("td", "th"))
_SPACES = re.compile(r"[ \t\r\n\f]+")
_HIDDEN = re.compile(r"display\s*:\s*none", re.IGNORECASE)


def text_of(markup: str) -> str:
    """What a reader sees, with addresses of links behind their texts and images' alt texts."""
    reader = _Reader()
    reader.feed(markup)
    reader.close()
    return tidied("".join(reader.pieces))


def tidied(text: str) -> str:
    """No spaces at the ends of lines, no runs of them, one blank line at most."""
    lines = (" ".join(line.split(" ")).strip() for line in text.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(re.sub(" +", " ", one) for one in lines)).strip()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._hidden: list[str] = []
        """Open elements from the outermost hidden one on."""
        self._links: list[tuple[str, int]] = []
        self._ended = 2
        """Line ends that come last so far."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if self._hidden or tag in _SKIPPED or _is_hidden(given):
            if tag not in _VOID:
                self._hidden.append(tag)
        elif tag == "br":
            self._end_lines(self._ended + 1)
        elif tag == "hr":
            self._end_lines(2)
            self._say("---")
            self._end_lines(2)
        elif tag == "img":
            self._say(given.get("alt", ""))
        elif tag == "a":
            self._links.append((given.get("href", ""), len(self.pieces)))
        else:
            self._break(tag)
            if tag == "li":
                self._say("- ")

    def handle_endtag(self, tag: str) -> None:
        if self._hidden:
            if tag in self._hidden:
                while self._hidden.pop() != tag:
                    pass
        elif tag == "a" and self._links:
            self._end_link(*self._links.pop())
        else:
            self._break(tag)

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self._say(_SPACES.sub(" ", data))

    def _end_link(self, address: str, start: int) -> None:
        shown = "".join(self.pieces[start:]).strip()
        if address and not address.startswith("#") and address.removeprefix("mailto:") != shown:
            self._say(f": {address} " if shown else f"{address} ")

    def _break(self, tag: str) -> None:
        if tag in _CELLS:
            self._say(" ")
        elif tag in _BLOCKS:
            self._end_lines(2 if tag in _APART else 1)

    def _say(self, text: str) -> None:
        if text and not (self._ended and text.isspace()):
            self.pieces.append(text)
            self._ended = 0

    def _end_lines(self, wanted: int) -> None:
        self.pieces.append("\n" * (wanted - self._ended))
        self._ended = max(self._ended, wanted)


def _is_hidden(given: dict[str, str]) -> bool:
    return (
        "hidden" in given
        or given.get("aria-hidden") == "true"
        or _HIDDEN.search(given.get("style", "")) is not None
    )
