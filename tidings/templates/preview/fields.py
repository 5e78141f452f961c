"""The form in which an author types a template's characteristics."""

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import orjson

from communication.catalogue.characteristic import Characteristic
from tidings.templates.cases import cases

_LONG = 60
_ZONE = re.compile(r"(Z|[+-]\d\d:?\d\d)$")
_MONEY = re.compile(r"\s*(-?[0-9.]+)\s*([A-Za-z]{3})\s*")
_PREFIX = "c."


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One characteristic. `control` is how it is typed, `text` what is typed."""

    key: str
    """The name under which the form sends it."""
    name: str
    control: str
    text: str
    value: Any
    """As a request would have it; None if it is left out or can't be read."""
    fault: str
    """Why Tidings would refuse a message with this value; empty if it would not."""
    required: bool
    description: str
    hint: str
    choices: tuple[tuple[str, str], ...]
    """What a select offers: what is sent, and what is shown."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """How a type's values are written into the form, and read from it (ValueError)."""

    control: str
    write: Callable[[Any], str]
    read: Callable[[str], Any]
    hint: str = ""


def fields_of(
    characteristics: Mapping[str, Characteristic], typed: Mapping[str, str]
) -> list[Field]:
    """A field for each characteristic, with its example until something else is typed."""
    if not characteristics:
        return []
    examples = next(cases(characteristics)).values
    return [
        _field(one, examples[name], typed.get(_PREFIX + name))
        for name, one in characteristics.items()
    ]


def _field(one: Characteristic, example: Any, typed: str | None) -> Field:
    kind = _kind(one, example)
    unchanged = kind.write(example)
    text = unchanged if typed is None else typed.replace("\r\n", "\n")
    value, fault = (example, "") if text == unchanged else _value(one, kind, text)
    choices = _choices(one, kind)
    return Field(
        key=_PREFIX + one.name,
        name=one.name,
        control="select" if choices else kind.control,
        text=text,
        value=value,
        fault=fault,
        required=one.required,
        description=one.description,
        hint=_hint(one, kind),
        choices=choices,
    )


def _value(one: Characteristic, kind: _Kind, text: str) -> tuple[Any, str]:
    """What was typed, and what is wrong with it."""
    if not text.strip():
        return None, "is required" if one.required else ""
    try:
        value = kind.read(text)
        one.read(value)
    except ValueError as error:
        return None, str(error)
    return value, ""


def _choices(one: Characteristic, kind: _Kind) -> tuple[tuple[str, str], ...]:
    if one.type == "boolean":
        offered = [("true", "yes"), ("false", "no")]
    else:
        offered = [(kind.write(value), kind.write(value)) for value in one.allowed]
    if offered and not one.required:
        offered.insert(0, ("", "(left out)"))
    return tuple(offered)


def _hint(one: Characteristic, kind: _Kind) -> str:
    if one.default is not None:
        return f"{kind.hint} Left empty, it is {kind.write(one.default)}.".strip()
    return kind.hint


def _kind(one: Characteristic, example: Any) -> _Kind:
    match one.type:
        case "string" if "\n" in str(example) or len(str(example)) > _LONG:
            return _LONG_TEXT
        case "list" if isinstance(example, list) and all(isinstance(x, str) for x in example):
            return _LINES if example else _JSON
        case "datetime":
            zone = _ZONE.search(str(example))
            return _time_in(zone[0] if zone else "")
        case _:
            return _KINDS[one.type]


def _any_from(text: str) -> Any:
    """Lists and objects are written as JSON; everything else is words."""
    if text.lstrip()[:1] in ("[", "{"):
        with suppress(orjson.JSONDecodeError):
            return orjson.loads(text)
    return text


def _number_from(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        raise ValueError("must be a number such as 12.5") from None


def _money_from(text: str) -> dict[str, Any]:
    match = _MONEY.fullmatch(text)
    if match is None:
        raise ValueError("must be an amount and a currency, such as 99.50 EUR")
    return {"unit": match[2].upper(), "value": _number_from(match[1])}


def _lines_from(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _json_from(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise ValueError(
            f"must be written as in the example; line {error.lineno} can't be read"
        ) from None


def _json(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()


def _one_of_any(value: Any) -> str:
    return value if isinstance(value, str) else _json(value)


def _flag(value: Any) -> str:
    return str(value).lower()


def _money(value: Mapping[str, Any]) -> str:
    return f"{value['value']} {value['unit']}"


def _time_in(zone: str) -> _Kind:
    """`zone`: the time zone that the example has; the browser's control has none."""
    return _Kind(
        "datetime-local",
        lambda value: _ZONE.sub("", str(value)),
        lambda text: text + zone,
        f"In the time zone {zone}." if zone not in ("", "Z") else "",
    )


_TEXT = _Kind("text", str, str)
_LONG_TEXT = _Kind("textarea", str, str)
_LINES = _Kind("textarea", "\n".join, _lines_from, "One thing a line.")
_JSON = _Kind("json", _json, _json_from)
_KINDS = {
    "any": _Kind("text", _one_of_any, _any_from),
    "string": _TEXT,
    "number": _Kind("number", str, _number_from),
    "integer": _Kind("integer", str, _number_from),
    "boolean": _Kind("select", _flag, str),
    "date": _Kind("date", str, str),
    "url": _Kind("url", str, str),
    "money": _Kind("text", _money, _money_from, "An amount and a currency, such as 99.50 EUR."),
    "list": _JSON,
    "object": _JSON,
}
