"""Addresses of people in texts that are logged: each becomes a mark, alike for the same address.

The marks are keyed hashes: who reads the log can follow a receiver through it, and can't tell
who it is by hashing all phone numbers there are.
"""

import hashlib
import re
import secrets
from collections.abc import Callable
from typing import Any

_EMAIL = r"[A-Za-z0-9.!#$%&'+/=?^_`{|}~-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*"
_PHONE = r"(?<![\w.-])(?:\+|00)[1-9][0-9 ().-]{5,18}[0-9](?![\w-])"
_PERSON = re.compile(f"{_EMAIL}|{_PHONE}")
_NOT_IN_NUMBERS = re.compile(r"[ ().-]")
_KEPT_AS_IT_IS = frozenset(("timestamp", "level", "process", "part", "message", "delivery", "uid"))

Hide = Callable[[str], str]


def hider(key: bytes = b"") -> Hide:
    """Hides by this key; without one, by a key of this process's own."""
    secret = hashlib.blake2b(key or secrets.token_bytes(32)).digest()

    def mark(found: re.Match[str]) -> str:
        text = found[0].lower()
        same = text if "@" in text else _NOT_IN_NUMBERS.sub("", text)
        return "person:" + hashlib.blake2b(same.encode(), key=secret, digest_size=6).hexdigest()

    def hide(text: str) -> str:
        return _PERSON.sub(mark, text) if "@" in text or "+" in text or "00" in text else text

    return hide


def hide_in(hide: Hide, line: dict[str, Any]) -> None:
    """Hide people in all texts of a log line but those that are ours."""
    for name, value in line.items():
        if isinstance(value, str) and name not in _KEPT_AS_IT_IS:
            hidden = hide(value)
            if hidden is not value:
                line[name] = hidden
