"""Channel URLs: `scheme://user:password@host:port/path?name=value`."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self, TypeVar
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from communication.errors import SettingsError

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)

_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}
_RATE = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)/([smh])")
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_FLAGS = {"yes": True, "no": False}
_BETWEEN_URLS = re.compile(r",(?=\s*[a-zA-Z0-9+.-]*://|\s*$)")  # a password may hold a comma


def split_urls(urls: str) -> list[str]:
    """The URLs of a comma-separated list."""
    return [url.strip() for url in _BETWEEN_URLS.split(urls)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelUrl:
    """One channel URL in its parts, percent-decoded. `host` and `path` are "" where absent."""

    scheme: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    host: str = ""
    port: int | None = None
    path: str = ""
    query: tuple[tuple[str, str], ...] = ()
    text: str = field(default="", repr=False)
    """The whole, as it was given."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """The parts of a URL. SettingsError says what is wrong, and never repeats a secret."""
        scheme, mark, _ = text.strip().partition("://")
        if not mark or not scheme:
            raise SettingsError("a channel URL looks like smtp://mail.example.com:25")
        try:
            return cls._split(urlsplit(text.strip()))
        except ValueError as error:
            message = "not a valid URL; percent-encode # / ? @ and : in the user and password"
            raise SettingsError(f"{scheme}://: {message}") from error

    @classmethod
    def _split(cls, parts: SplitResult) -> Self:
        if parts.fragment:
            raise ValueError("a fragment")
        strict = bool(parts.query)
        return cls(
            scheme=parts.scheme,
            user=None if parts.username is None else unquote(parts.username),
            password=None if parts.password is None else unquote(parts.password),
            host=parts.hostname or "",
            port=parts.port,
            path=unquote(parts.path),
            text=parts.geturl(),
            query=tuple(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=strict)),
        )

    def fault(self, message: str) -> SettingsError:
        """A SettingsError about this URL that names its scheme alone."""
        return SettingsError(f"{self.scheme}://: {message}")

    def refuse_place(self) -> None:
        """SettingsError if there is a user, host, port or path where none has a meaning."""
        if self.host or self.path.strip("/") or self.user is not None or self.port is not None:
            raise self.fault("takes parameters only, no user, host, port or path")


class Parameters:
    """The query of a channel URL: each parameter is asked for by name, then `end` is called."""

    def __init__(self, url: ChannelUrl) -> None:
        self._url = url
        self._asked: list[str] = []
        self._given = dict(url.query)
        if len(self._given) < len(url.query):
            raise url.fault("a parameter is given twice")

    def duration(self, name: str, default: float, *, least: float = 0.0) -> float:
        """Seconds, from `50ms`, `10s`, `2m`, `3h` or `1d`."""
        return self._read(name, default, lambda text: _duration(text, least))

    def share(self, name: str, default: float) -> float:
        """A probability between 0 and 1."""
        return self._read(name, default, _share)

    def count(self, name: str, default: int) -> int:
        """A whole number from 1 to 1000."""
        return self._read(name, default, _count)

    def flag(self, name: str, *, default: bool) -> bool:
        """`yes` or `no`."""
        return self._read(name, default, _flag)

    def choice(self, name: str, default: E) -> E:
        """One of the values of the default's enumeration."""
        return self._read(name, default, lambda text: _choice(text, type(default)))

    def rate(self, name: str) -> float | None:
        """Times a second, from `50/s`, `600/m` or `10000/h`; None where it is not given."""
        return self._read(name, None, _rate)

    def text(self, name: str, default: str) -> str:
        """Any text that is not empty."""
        return self._read(name, default, _text)

    def end(self) -> None:
        """SettingsError if a parameter was given that nobody asked for."""
        unknown = [name for name in self._given if name not in self._asked]
        if unknown:
            known = ", ".join(self._asked)
            raise self._url.fault(f"unknown parameter {unknown[0]!r}; known are {known}")

    def _read(self, name: str, default: T, parse: Callable[[str], T]) -> T:
        self._asked.append(name)
        if name not in self._given:
            return default
        try:
            return parse(self._given[name])
        except ValueError as error:
            raise self._url.fault(f"{name}={self._given[name]}: {error}") from error


def _duration(text: str, least: float) -> float:
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError("must be a duration such as 50ms, 10s, 2m, 1h or 28d")
    seconds = float(match[1]) * _SECONDS[match[2]]
    if seconds < least:
        raise ValueError(f"must be at least {least * 1000:g}ms")
    return seconds


def _rate(text: str) -> float:
    match = _RATE.fullmatch(text)
    if match is None or not float(match[1]):
        raise ValueError("must be a rate such as 50/s, 600/m or 10000/h")
    return float(match[1]) / _SECONDS[match[2]]


def _share(text: str) -> float:
    if not _NUMBER.fullmatch(text) or float(text) > 1:
        raise ValueError("must be a number from 0 to 1, such as 0.01")
    return float(text)


def _count(text: str) -> int:
    if not re.fullmatch("[0-9]{1,4}", text) or not 1 <= int(text) <= 1000:  # noqa: PLR2004
        raise ValueError("must be a whole number from 1 to 1000")
    return int(text)


def _flag(text: str) -> bool:
    if text not in _FLAGS:
        raise ValueError("must be yes or no")
    return _FLAGS[text]


def _choice(text: str, known: type[E]) -> E:
    if text not in set(known):
        raise ValueError(f"must be one of {', '.join(known)}")
    return known(text)


def _text(text: str) -> str:
    if not text:
        raise ValueError("must not be empty")
    return text
