"""Secrets in the database, sealed with a key that is not in it (Fernet: AES-128-CBC and HMAC)."""

from collections.abc import Sequence
from typing import Any

import orjson
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from sqlalchemy import Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from communication.columns import Json
from communication.errors import ServiceUnavailable

_MARK = "sealed:"
_NO_KEY = "TIDINGS_SECRET_KEYS lacks the key of what is stored; add it behind the newest"


class Seal:
    """Seals with the first of its keys, and opens with any. Without keys it leaves texts as is.

    What was stored before there was a key is read as it is.
    """

    def __init__(self, keys: Sequence[str] = ()) -> None:
        self._fernet = MultiFernet([Fernet(key) for key in keys]) if keys else None

    def seal(self, text: str) -> str:
        """What may be stored."""
        if self._fernet is None:
            return text
        return _MARK + self._fernet.encrypt(text.encode()).decode()

    def open(self, stored: str) -> str:
        """What was sealed. ServiceUnavailable without its key."""
        if not stored.startswith(_MARK):
            return stored
        if self._fernet is None:
            raise ServiceUnavailable(_NO_KEY)
        try:
            return self._fernet.decrypt(stored.removeprefix(_MARK)).decode()
        except InvalidToken as error:
            raise ServiceUnavailable(_NO_KEY) from error


def parse_keys(text: str) -> list[str]:
    """Keys by comma, the newest first. ValueError names what is no key."""
    keys = [one.strip() for one in text.split(",") if one.strip()]
    for key in keys:
        Fernet(key)
    return keys


def new_key() -> str:
    """A fresh one."""
    return Fernet.generate_key().decode()


_ATTRIBUTE = "tidings_seal"
_NONE = Seal()


def keep_seal(dialect: Dialect, seal: Seal) -> None:
    """Have the sealed columns of this engine sealed so."""
    setattr(dialect, _ATTRIBUTE, seal)


def _seal_of(dialect: Dialect) -> Seal:
    found: Seal = getattr(dialect, _ATTRIBUTE, _NONE)
    return found


class SealedText(TypeDecorator[str]):
    """A text that is sealed where the engine has keys (communication.store)."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Sealed on its way in."""
        return None if value is None else _seal_of(dialect).seal(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        """Opened on its way out."""
        return None if value is None else _seal_of(dialect).open(value)


class SealedJson(TypeDecorator[Any]):
    """A JSON value of which, where the engine has keys, the database holds a sealed text."""

    impl = Json
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """Sealed on its way in."""
        text = None if value is None else orjson.dumps(value).decode()
        sealed = text and _seal_of(dialect).seal(text)
        return value if sealed == text else sealed

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        """Opened on its way out."""
        if not isinstance(value, str) or not value.startswith(_MARK):
            return value
        return orjson.loads(_seal_of(dialect).open(value))
