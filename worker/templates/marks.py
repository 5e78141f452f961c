"""Marks that stand for values in a page, so that the page is laid out once for many receivers.

Compiling MJML, inlining CSS and deriving the text take twenty times as long as the rest. All of
them only carry the text between tags, and addresses of links, from one place to another. So a
value is put in last: what is laid out has a mark in its place, and pages that differ in nothing
but such values are one page.
"""

import re
from functools import lru_cache

from markupsafe import Markup, escape

from worker.templates.cleaning import markup_value

_OPEN, _CLOSE = "\ufdd0", "\ufdd1"
"""No text has these: Unicode keeps them from interchange, and cleaning takes them out."""
MARK = re.compile(f"{_OPEN}([0-9]+){_CLOSE}")


class Marks:
    """The values of one rendering, in the order of their marks."""

    KEY = "\0marks"
    """Where templates' contexts have them; no template can write this name."""

    def __init__(self) -> None:
        self.values: list[str] = []
        self._captured: dict[str, str] = {}

    def mark(self, value: object) -> Markup:
        """What stands for a value in the page. One that is blank, for layout sees it, is itself."""
        if isinstance(value, Markup):
            return Markup(self._captured.get(value, value))  # noqa: S704 - it was, and is, markup
        text = "" if value is None else markup_value(str(value))
        if not text.strip():
            return escape(text)
        self.values.append(text)
        return _mark(len(self.values) - 1)

    def captured(self, text: str) -> str:
        """Part of a page with values instead of marks, for whoever works with the text.

        Where it comes into the page as it is, it has its marks again.
        """
        if _OPEN not in text:
            return text
        plain = MARK.sub(lambda match: str(escape(self.values[int(match[1])])), text)
        self._captured[plain] = text
        return plain


@lru_cache(maxsize=1024)
def _mark(place: int) -> Markup:
    return Markup(f"{_OPEN}{place}{_CLOSE}")  # noqa: S704 - digits alone
