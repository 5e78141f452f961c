"""`$Name` in inline content and subjects (seed 004): never a template language."""

import re
from collections.abc import Callable, Mapping

from communication.errors import InvalidField

_PLACEHOLDER = re.compile(r"\$(?:(\$)|([^\W\d]\w*))")


def names_in(text: str) -> set[str]:
    """The names that the text's placeholders ask for."""
    return {name for _, name in _PLACEHOLDER.findall(text) if name}


def fill(
    text: str, values: Mapping[str, str], *, escape: Callable[[str], str] = lambda value: value
) -> str:
    """The text with every placeholder replaced, `$$` by one dollar, any other `$` as it stands.

    `values` has every name in `names_in(text)`; a value is never looked into again.
    """
    return _PLACEHOLDER.sub(
        lambda match: "$" if match[1] else escape(values[match[2]]),
        text,
    )


def check(field: str, text: str, known: set[str]) -> None:
    """InvalidField naming the first placeholder for which there is no characteristic."""
    missing = sorted(names_in(text) - known)
    if missing:
        raise InvalidField(
            f"${missing[0]} has no characteristic of that name; add one, or write $$ for a dollar",
            field=field,
        )
