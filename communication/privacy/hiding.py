"""Addresses of people in texts that are logged: each becomes a mark, alike for the same address.

The marks are keyed hashes: who reads the log can follow a receiver through it, and can't tell
who it is by hashing all phone numbers there are. What looks like an address is hidden always;
whatever the receiver is called who is `about`, only while it is.
"""

import hashlib
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from urllib.parse import quote

_NAMES = r"[\w-]+(?:\.[\w-]+)"
_EMAIL = (
    r"[\w.!#$%&'+/=?^`{|}~-]{1,64}@(?:" + _NAMES + r"*|\[[^\]\s]{2,45}\])"
    r'|"[^"\r\n]{1,64}"@(?:' + _NAMES + r"+|\[[^\]\s]{2,45}\])"
    r"|[\w.+-]{1,64}%40" + _NAMES + "+"
)
_ABROAD = r"(?<![\w.-])(?:\+|00)[1-9][0-9 ().-]{5,18}[0-9](?![\w-])"
_AT_HOME = (
    r"(?<![\w.-])0[1-9]\d{7,9}(?![\w-])"
    # With marks between its groups; but a date, or a part of one, is none.
    r"|(?<![\w./-])(?!\d\d[./-]\d\d[./-]\d{4}(?!\d))"
    r"\(?0[1-9]\d{0,3}\)?(?:[ /-]{1,2}\d{2,8}){1,4}(?![\w:-])"
    r"|(?<![\w./-])0[1-9](?:\.\d\d){4}(?![\w.-])"
)
_PERSON = re.compile(f"{_EMAIL}|{_ABROAD}|(?P<home>{_AT_HOME})")
_NOT_IN_NUMBERS = re.compile(r"[^0-9]")
_GAP = r"[\s().\-/\u2010-\u2015]{0,3}"
_LOCAL_DIGITS = 7
"""Of a number's end: those before may be left out, or be a trunk prefix."""
_HOME_DIGITS = range(9, 13)
"""Fewer may be two codes."""
_LEAST_WORD, _LEAST_DIGITS = 3, 5
"""Shorter ones can't be told from words and codes of the provider's own."""
_KEPT_AS_IT_IS = frozenset(
    ("timestamp", "level", "process", "part", "message", "delivery", "uid", "again_at")
)
_about: ContextVar[tuple[str, ...]] = ContextVar("about", default=())

Hide = Callable[[str], str]


@contextmanager
def about(*names: str | None) -> Iterator[None]:
    """Have a person's addresses and names hidden in what this thread logs meanwhile.

    However they are written: a provider that echoes a number may give it without its `+`.
    """
    token = _about.set((*_about.get(), *(name for name in names if name)))
    try:
        yield
    finally:
        _about.reset(token)


def hider(key: bytes = b"") -> Hide:
    """Hides by this key; without one, by a key of this process's own."""
    secret = hashlib.blake2b(key or secrets.token_bytes(32)).digest()

    def mark(text: str) -> str:
        same = _plain(text).encode()
        return "person:" + hashlib.blake2b(same, key=secret, digest_size=6).hexdigest()

    def mark_found(found: re.Match[str]) -> str:
        home = found["home"]
        is_other = home and len(_NOT_IN_NUMBERS.sub("", home)) not in _HOME_DIGITS
        return found[0] if is_other else mark(found[0])

    def hide(text: str) -> str:
        for name in _about.get():
            if _may_name(text, name):
                text = _spellings(name).sub(mark(name), text)
        return _PERSON.sub(mark_found, text) if "@" in text or "0" in text or "+" in text else text

    return hide


def hide_in(hide: Hide, line: dict[str, Any]) -> None:
    """Hide people in all texts of a log line but those that are ours."""
    for name, value in line.items():
        if isinstance(value, str) and name not in _KEPT_AS_IT_IS:
            hidden = hide(value)
            if hidden is not value:
                line[name] = hidden


def _plain(text: str) -> str:
    """One form of what is the same address."""
    lowered = text.lower().replace("%40", "@")
    if "@" in lowered or any(letter.isalpha() for letter in lowered):
        return lowered
    digits = _NOT_IN_NUMBERS.sub("", lowered)
    return digits.removeprefix("00")


def _may_name(text: str, name: str) -> bool:
    """False where a look is enough to tell that it doesn't: most texts don't."""
    if name.startswith("+"):
        return name[-_LOCAL_DIGITS:] in _NOT_IN_NUMBERS.sub("", text)
    first, _, _ = name.partition("@")
    lowered = text.lower()
    return first.lower() in lowered or quote(first).lower() in lowered


def _spellings(name: str) -> re.Pattern[str]:
    if name.startswith("+"):
        return _number(name[1:])
    words = {name, quote(name, safe=""), *([name.partition("@")[0]] if "@" in name else ())}
    telling = sorted(filter(_is_telling, words), key=len, reverse=True)
    one = "|".join(map(re.escape, telling))
    return re.compile(rf"(?<!\w)(?:{one})(?!\w)" if one else r"(?!)", re.IGNORECASE)


def _number(digits: str) -> re.Pattern[str]:
    head, tail = digits[:-_LOCAL_DIGITS], digits[-_LOCAL_DIGITS:]
    before = "".join(f"(?:{one}{_GAP}(?:0{_GAP})?)?" for one in head)
    return re.compile(r"[+0(]{0,3}" + before + _GAP.join(tail))


def _is_telling(word: str) -> bool:
    return len(word) >= (_LEAST_DIGITS if word.isdigit() else _LEAST_WORD)
