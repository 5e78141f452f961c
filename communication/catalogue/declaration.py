"""template.toml: what a template's author says of it."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any

from communication.catalogue.characteristic import TYPES, Characteristic
from communication.catalogue.snapshot import LOCALE, RESERVED, BrokenTemplate, Fault

_TOP = {"description", "locale", "characteristics"}
_KEYS = {"type", "required", "default", "example", "description", "allowed"}
_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """A read template.toml; without one, nothing is declared."""

    description: str = ""
    locale: str | None = None
    """The language of the files that are in no locale's folder."""
    characteristics: Mapping[str, Characteristic] = field(default_factory=dict)


def read_declaration(path: str, text: str) -> Declaration:
    """Parse and check. BrokenTemplate with the line for the first fault."""
    try:
        given = tomllib.loads(text)
        return _declaration(given)
    except tomllib.TOMLDecodeError as error:
        place = _PLACE.search(str(error))
        line, column = place.groups() if place else (None, None)
        line = line or text.count("\n") + 1
        raise _broken(path, _PLACE.sub("", str(error)), line, column) from error
    except RecursionError:
        raise _broken(path, "is nested too deeply", 1, None) from None
    except _Wrong as error:
        raise _broken(path, str(error), _line_of(text, error.where), None) from None


class _Wrong(Exception):
    """`where`: the key, or the name of the characteristic, that the fault is at."""

    def __init__(self, message: str, where: str) -> None:
        super().__init__(message)
        self.where = where


def _declaration(given: Mapping[str, Any]) -> Declaration:
    _only(given, _TOP, "")
    locale = _text(given, "locale", "locale")
    if locale and not LOCALE.fullmatch(locale):
        raise _Wrong("locale: must be a language tag such as sv or pt-BR", "locale")
    table = given.get("characteristics", {})
    if not isinstance(table, dict):
        raise _Wrong("characteristics: must be tables [characteristics.Name]", "characteristics")
    return Declaration(
        description=_text(given, "description", "description") or "",
        locale=locale,
        characteristics={name: _characteristic(name, one) for name, one in table.items()},
    )


def _characteristic(name: str, given: object) -> Characteristic:
    if not isinstance(given, dict):
        raise _Wrong(f"{name}: must be a table [characteristics.{name}]", name)
    _only(given, _KEYS, name)
    if name in RESERVED:
        raise _Wrong(f"{name}: every template has a variable of this name; choose another", name)
    kind = _text(given, "type", name) or "string"
    if kind not in TYPES:
        raise _Wrong(f"{name}: type must be one of {', '.join(TYPES)}", name)
    default = _plain(given.get("default"))
    required = given.get("required", "default" not in given)
    if not isinstance(required, bool):
        raise _Wrong(f"{name}: required must be true or false", name)
    one = Characteristic(
        name=name,
        type=kind,
        required=required and default is None,
        default=default,
        example=_plain(given.get("example", default)),
        description=_text(given, "description", name) or "",
        allowed=_allowed(given, name),
    )
    _check_values(one)
    return one


def _allowed(given: Mapping[str, Any], name: str) -> tuple[Any, ...]:
    allowed = given.get("allowed", [])
    if not isinstance(allowed, list):
        raise _Wrong(f'{name}: allowed must be a list such as ["red", "green"]', name)
    return tuple(_plain(one) for one in allowed)


def _check_values(one: Characteristic) -> None:
    bare = Characteristic(name=one.name, type=one.type)
    checks = [("allowed", bare, value) for value in one.allowed]
    checks += [("default", one, one.default), ("example", one, one.example)]
    for what, reader, value in checks:
        try:
            if value is not None:
                reader.read(value)
        except ValueError as error:
            raise _Wrong(f"{one.name}: {what} {error}", one.name) from None


def _only(given: Mapping[str, Any], known: set[str], where: str) -> None:
    for key in given:
        if key not in known:
            prefix = f"{where}: " if where else ""
            raise _Wrong(
                f"{prefix}there is no {key!r}; there are {', '.join(sorted(known))}", where or key
            )


def _text(given: Mapping[str, Any], key: str, where: str) -> str | None:
    value = given.get(key)
    if value is not None and not isinstance(value, str):
        raise _Wrong(f"{key}: must be text", where)
    return value


def _plain(value: Any) -> Any:
    """TOML's own dates and times as JSON has them."""
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    return value


def _line_of(text: str, where: str) -> int:
    """The line that speaks of a key or a characteristic; the first if none does."""
    named = re.compile(rf"""^\s*(\[.*)?["'.\[]?{re.escape(where)}["'\]\s=.]""")
    lines = text.splitlines()
    return next((number for number, line in enumerate(lines, 1) if named.match(line)), 1)


def _broken(path: str, message: str, line: Any, column: Any) -> BrokenTemplate:
    fault = Fault(
        message=message,
        file=path,
        line=int(line) if line else None,
        column=int(column) if column else None,
    )
    return BrokenTemplate(path.split("/", 1)[0], fault)
