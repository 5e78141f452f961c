"""Emails in frames of their own, in which nothing runs and out of which nothing leads."""

import hashlib
import re
from collections import OrderedDict
from threading import Lock

from lxml import html as markup
from lxml.etree import ParserError

POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'self'; sandbox"
)
"""Content-Security-Policy of a frame: the email's own styles, and nothing else."""
_MOST = 64
_ADDED = (
    '<base target="_blank">'
    "<style>html{scrollbar-width:thin}@media(max-width:400px){html{scrollbar-width:none}}</style>"
)
"""Links aim at new windows, of which the sandbox lets none be opened; bars as phones have them."""
_LINKS = re.compile(r"<link\b", re.IGNORECASE)
_FRAMES = re.compile(
    r"<(/?)(iframe|frame|frameset|object|embed|portal|fencedframe)\b", re.IGNORECASE
)
_HEAD = re.compile(r"<head(\s[^>]*)?>", re.IGNORECASE)


class Frames:
    """The pages of the last emails, by an address that is their content's. Shared by threads."""

    def __init__(self) -> None:
        self._pages: OrderedDict[str, str] = OrderedDict()
        self._lock = Lock()

    def add(self, html: str) -> str:
        """Keep an email for a while; returns its key."""
        key = hashlib.sha256(html.encode()).hexdigest()[:32]
        with self._lock:
            self._pages[key] = _as_shown(html)
            self._pages.move_to_end(key)
            if len(self._pages) > _MOST:
                self._pages.popitem(last=False)
        return key

    def get(self, key: str) -> str | None:
        """The page of a key; None if it is no longer there."""
        with self._lock:
            return self._pages.get(key)


def remote_images(html: str) -> int:
    """How many pictures of an email come from the web: the preview does not load them."""
    try:
        sources = markup.document_fromstring(html).xpath("//img/@src")
    except (ParserError, ValueError):
        return 0
    return sum(not str(source).startswith("data:") for source in sources)


def _as_shown(html: str) -> str:
    """As mail programs show it: without what a browser calls other hosts for even in a sandbox."""
    quiet = _LINKS.sub("<meta", _FRAMES.sub(r"<\1span", html))
    return _HEAD.sub(lambda head: head[0] + _ADDED, quiet, count=1)
