"""Where something stands in what an HTTP gateway says: `json:messages.0.status` and the like."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import orjson

_KINDS = ("json", "form", "header", "text")
_MOST_TEXT = 2_000


@dataclass(frozen=True)
class Said:
    """An answer or a webhook's request. Names of headers are lower-case.

    `form`: what came as form fields or in the query string. `item`: the part of the JSON body
    that `json:` looks into, the whole of it by default.
    """

    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] = field(default_factory=dict)
    item: Any = None

    @cached_property
    def json(self) -> Any:
        """The body; None if it is no JSON."""
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError:
            return None

    @cached_property
    def text(self) -> str:
        """The beginning of the body."""
        return self.body[:_MOST_TEXT].decode("utf-8", "replace")

    def each(self, path: str | None) -> "list[Said]":
        """One for each element of the list at a JSON path; without a path, it alone."""
        if path is None:
            return [self]
        elements = _walk(self.json, path.split(".") if path else [])
        return [replace(self, item=one) for one in elements] if isinstance(elements, list) else []


@dataclass(frozen=True, slots=True)
class Place:
    """One place to look at: `json:path.0.name`, `form:name`, `header:name` or `text:regex`.

    `json:list.*.name` is what stands in all elements of a list, with spaces between.
    """

    kind: str
    where: str

    @classmethod
    def parse(cls, text: str) -> "Place":
        """ValueError for what is none."""
        kind, mark, where = text.partition(":")
        if kind not in _KINDS or not mark or not where:
            raise ValueError(f"{text!r} must begin with one of json:, form:, header:, text:")
        if kind == "text":
            _check_pattern(where)
        return cls(kind, where.lower() if kind == "header" else where)

    def find(self, said: Said) -> str | None:
        """What stands there, as text; None if there is nothing."""
        if self.kind == "form":
            return said.form.get(self.where)
        if self.kind == "header":
            return said.headers.get(self.where)
        if self.kind == "text":
            match = re.search(self.where, said.text)
            return match[match.re.groups and 1] if match else None
        before, each, after = self.where.partition(".*.")
        value = _walk(said.json if said.item is None else said.item, before.split("."))
        if not each:
            return _as_text(value)
        elements = value if isinstance(value, list) else []
        texts = [_as_text(_walk(one, after.split("."))) for one in elements]
        return " ".join(text for text in texts if text) or None


def find(places: Sequence[Place], said: Said) -> str | None:
    """What stands at the first place that has anything."""
    return next((found for place in places if (found := place.find(said))), None)


def _check_pattern(pattern: str) -> None:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{pattern!r} is no regular expression: {error}") from error


def _walk(value: Any, path: Sequence[str]) -> Any:
    for name in path:
        if isinstance(value, dict):
            value = value.get(name)
        elif isinstance(value, list) and name.isdigit() and int(name) < len(value):
            value = value[int(name)]
        else:
            return None
    return value


def _as_text(value: Any) -> str | None:
    if value is None or isinstance(value, (dict, list)):
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
