"""Faults of template.toml, all of them, each at its line."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from typing import Any

from communication.catalogue.characteristic import TYPES, Characteristic
from communication.catalogue.composition import is_locale
from communication.catalogue.snapshot import RESERVED
from tidings.templates.findings import Severity

TOP = frozenset({"description", "locale", "characteristics"})
KEYS = frozenset({"type", "required", "default", "example", "description", "allowed"})
_HEADER = re.compile(r"\s*\[\s*(?P<path>[^\[\]]+?)\s*\]")
_KEY = re.compile(r"""\s*(?P<key>[\w-]+|"[^"]*"|'[^']*')\s*=""")
_PART = re.compile(r"""[\w-]+|"[^"]*"|'[^']*'""")
_AT = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)")
_SHAPES = {
    "required": (bool, "true or false, without quotes"),
    "description": (str, "text in quotes"),
    "allowed": (list, 'a list such as ["one", "two"]'),
    "type": (str, "text in quotes"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaw:
    """What is wrong in a line of template.toml."""

    line: int
    column: int = 1
    rule: str
    severity: Severity = Severity.ERROR
    message: str
    advice: str


class Declaration:
    """The text of a template.toml with the lines of its keys."""

    def __init__(self, text: str) -> None:
        self._places = dict(_places(text))

    def line(self, *path: str) -> int:
        """The line of a table or key; of the table around it if it is not there itself."""
        while path and path not in self._places:
            path = path[:-1]
        return self._places.get(path, 1)


def check(text: str) -> list[Flaw]:
    """Everything that is wrong with the text of a template.toml."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return [_unreadable(str(error), text)]
    except RecursionError:
        return [_unreadable("it is nested too deeply", text)]
    where = Declaration(text)
    flaws = [*_unknown_keys(document, TOP, where, ()), *_language(document, where)]
    described = document.get("characteristics", {})
    if not isinstance(described, dict):
        return [*flaws, _no_tables(where)]
    for name, entry in described.items():
        flaws += _characteristic(name, entry, where)
    return flaws


def _language(document: Mapping[str, Any], where: Declaration) -> Iterator[Flaw]:
    locale = document.get("locale", "en")
    if not isinstance(locale, str) or not is_locale(locale):
        yield Flaw(
            line=where.line("locale"),
            rule="bad-declaration",
            message=f"{_shown(locale)} is no language that Tidings knows.",
            advice='Write the code of the language, such as locale = "sv" or "pt-BR".',
        )
    if not isinstance(document.get("description", ""), str):
        yield Flaw(
            line=where.line("description"),
            rule="bad-declaration",
            message=f"The description can't be {_shown(document['description'])}.",
            advice="Write text in quotes.",
        )


def declared(text: str) -> dict[str, int] | None:
    """The characteristics' names with their lines; None if the text can't be read."""
    document = _document(text)
    described = None if document is None else document.get("characteristics", {})
    if not isinstance(described, dict):
        return None
    where = Declaration(text)
    return {name: where.line("characteristics", name) for name in described}


def language(text: str) -> str:
    """The locale that the declaration says its texts to be in; empty if it says none."""
    locale = (_document(text) or {}).get("locale", "")
    return locale if isinstance(locale, str) and is_locale(locale) else ""


def _document(text: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return None


def _characteristic(name: str, entry: object, where: Declaration) -> Iterator[Flaw]:
    path = ("characteristics", name)
    if not isinstance(entry, dict):
        yield _no_tables(where, name)
        return
    if name in RESERVED:
        yield Flaw(
            line=where.line(*path),
            rule="bad-declaration",
            message=f"“{name}” is a name that every template has already.",
            advice="Choose another name here and in the texts.",
        )
    yield from _unknown_keys(entry, KEYS, where, path)
    shapes = list(_shapes(entry, where, path))
    yield from shapes
    if not shapes:
        yield from _values(Characteristic(name=name, **_known(entry)), entry, where)


def _shapes(entry: Mapping[str, Any], where: Declaration, path: tuple[str, ...]) -> Iterator[Flaw]:
    for key, (shape, words) in _SHAPES.items():
        if key in entry and not isinstance(entry[key], shape):
            yield Flaw(
                line=where.line(*path, key),
                rule="bad-declaration",
                message=f"{key} of “{path[-1]}” can't be {_shown(entry[key])}.",
                advice=f"Write {words}.",
            )
    if isinstance(entry.get("type"), str) and entry["type"] not in TYPES:
        yield Flaw(
            line=where.line(*path, "type"),
            rule="bad-declaration",
            message=f"“{entry['type']}” is no type.",
            advice=_did_you_mean(entry["type"], TYPES, f"Write one of {', '.join(TYPES)}."),
        )


def _values(one: Characteristic, entry: Mapping[str, Any], where: Declaration) -> Iterator[Flaw]:
    path = ("characteristics", one.name)
    for key in ("example", "default"):
        if key in entry and (fault := _misfit(one, entry[key])):
            yield Flaw(
                line=where.line(*path, key),
                rule=f"bad-{key}",
                message=f"The {key} of “{one.name}”, {_shown(entry[key])}, {fault}.",
                advice=f"Mend the {key}, or the type or the allowed values above it.",
            )
    if "example" not in entry and not one.allowed:
        yield Flaw(
            line=where.line(*path),
            rule="no-example",
            severity=Severity.WARNING,
            message=f"“{one.name}” has no example to try the template with.",
            advice="Write a line such as example = … with a value like those of real customers.",
        )
    if one.type == "url" and str(entry.get("example", "")).startswith("http:"):
        yield Flaw(
            line=where.line(*path, "example"),
            rule="link-not-https",
            message=f"The example of “{one.name}” begins with http: instead of https:.",
            advice="Write an address that begins with https://.",
        )
    if one.required and "default" in entry and "required" in entry:
        yield Flaw(
            line=where.line(*path, "default"),
            rule="bad-declaration",
            severity=Severity.WARNING,
            message=f"“{one.name}” is required, so that its default is never used.",
            advice="Take one of the two lines away.",
        )


def _misfit(one: Characteristic, value: object) -> str:
    try:
        one.read(_as_sent(value))
    except ValueError as error:
        return str(error)
    return ""


def _as_sent(value: object) -> object:
    """Requests have no dates but text that says one."""
    return value.isoformat() if isinstance(value, date) else value


def _known(entry: Mapping[str, Any]) -> dict[str, Any]:
    known = {key: value for key, value in entry.items() if key in KEYS}
    known["allowed"] = tuple(known.get("allowed", ()))
    return {"type": "string", "required": "default" not in entry} | known


def _unknown_keys(
    entry: Mapping[str, Any], known: frozenset[str], where: Declaration, path: tuple[str, ...]
) -> Iterator[Flaw]:
    for key in entry.keys() - known:
        yield Flaw(
            line=where.line(*path, key),
            rule="unknown-key",
            message=f"“{key}” means nothing here.",
            advice=_did_you_mean(key, known, f"Known are {', '.join(sorted(known))}."),
        )


def _no_tables(where: Declaration, *name: str) -> Flaw:
    return Flaw(
        line=where.line("characteristics", *name),
        rule="bad-declaration",
        message="Each characteristic needs a part of its own.",
        advice="Write [characteristics.orderNumber] in a line, and under it its type and example.",
    )


def _unreadable(message: str, text: str) -> Flaw:
    match = _AT.search(message)
    lines = text.rstrip("\n").split("\n")
    line, column = (int(match[1]), int(match[2])) if match and match[1] else (len(lines), 1)
    return Flaw(
        line=line,
        column=column,
        rule="bad-declaration",
        message=f"template.toml can't be read from here on: {_AT.sub('', message)}.",
        advice='A line reads name = "text in quotes"; a number, a date, true and false need none.',
    )


def _did_you_mean(word: str, known: Mapping[str, Any] | frozenset[str], otherwise: str) -> str:
    alike = get_close_matches(word, known, n=1)
    return f"Did you mean “{alike[0]}”?" if alike else otherwise


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"“{value}”" if isinstance(value, str) else str(_as_sent(value))


def _places(text: str) -> Iterator[tuple[tuple[str, ...], int]]:
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.split("\n"), start=1):
        if match := _HEADER.match(line):
            table = tuple(part.strip("\"'") for part in _PART.findall(match["path"]))
            yield table, number
        elif match := _KEY.match(line):
            yield (*table, match["key"].strip("\"'")), number
