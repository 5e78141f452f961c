"""With which values a template is tried: its examples, and every turn that they do not take."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from communication.catalogue.characteristic import Characteristic

RECEIVER = {"name": "Ann Svensson", "id": "10234"}
NOBODY: dict[str, str | None] = {"name": None, "id": None}
_STAND_INS: Mapping[str, Any] = {
    "number": 12.5,
    "integer": 3,
    "boolean": True,
    "date": "2025-04-30",
    "datetime": "2025-04-30T09:30:00Z",
    "url": "https://www.example.com/",
    "money": {"unit": "EUR", "value": 99.5},
    "list": [],
    "object": {},
}


@dataclass(frozen=True, slots=True)
class Case:
    """One set of values, as a request would have them. `name` is empty for the examples."""

    name: str
    values: Mapping[str, Any]
    receiver: Mapping[str, str | None]


def cases(characteristics: Mapping[str, Characteristic]) -> Iterator[Case]:
    """The examples; every other allowed value; and each of these without what is optional."""
    examples = {name: _example(one) for name, one in characteristics.items()}
    for name, values in _turns(characteristics, examples):
        yield Case(name, values, RECEIVER)
        required = {key: value for key, value in values.items() if characteristics[key].required}
        short = f"{name}, without what is optional" if name else "without what is optional"
        yield Case(short, required, NOBODY)


def _turns(
    characteristics: Mapping[str, Characteristic], examples: Mapping[str, Any]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield "", examples
    for name, one in characteristics.items():
        choices = (True, False) if one.type == "boolean" else one.allowed
        for choice in choices:
            if choice != examples[name]:
                yield f"with {name} = {_shown(choice)}", {**examples, name: choice}


def _example(one: Characteristic) -> Any:
    for value in (one.example, one.default, *one.allowed):
        if value is not None:
            return _secure(value) if one.type == "url" else value
    return _STAND_INS.get(one.type, one.name)


def _secure(address: Any) -> Any:
    """With https: that an example has none is a finding of template.toml, not of every link."""
    return re.sub("^http:", "https:", address, flags=re.IGNORECASE)


def _shown(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
