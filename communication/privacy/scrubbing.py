"""JSON in which nothing is said of a person any more."""

import base64
from typing import Any

import orjson

ERASED = "[erased]"
ENCODED = "base64_encoded_"
"""How the names of those attributes begin whose values are in base64 (seed 003)."""


def scrub(value: Any, person: str) -> Any:
    """A JSON value in which nothing is said of the person.

    In a list, an object with an attribute that is the person's is theirs altogether; any other
    text that names the person becomes ERASED. What is in base64 is looked into.
    """
    return _scrub(value, person.lower())


def _scrub(value: Any, needle: str) -> Any:
    if isinstance(value, dict):
        return {
            ERASED if needle in name.lower() else name: _attribute(name, one, needle)
            for name, one in value.items()
        }
    if isinstance(value, list):
        return [{} if _is_of(one, needle) else _scrub(one, needle) for one in value]
    return ERASED if isinstance(value, str) and needle in value.lower() else value


def _attribute(name: str, value: Any, needle: str) -> Any:
    is_encoded = isinstance(value, str) and name.startswith(ENCODED)
    return _scrub_encoded(value, needle) if is_encoded else _scrub(value, needle)


def _scrub_encoded(value: str, needle: str) -> str:
    try:
        content = base64.b64decode(value)
    except ValueError:
        return ERASED if needle in value.lower() else value
    clean = _scrub_content(content, needle)
    return value if clean == content else base64.b64encode(clean).decode()


def _scrub_content(content: bytes, needle: str) -> bytes:
    """JSON, or anything else, which is erased altogether."""
    try:
        value = orjson.loads(content)
        clean = _scrub(value, needle)
    except (orjson.JSONDecodeError, RecursionError):
        return ERASED.encode() if needle in content.decode(errors="replace").lower() else content
    return content if clean == value else orjson.dumps(clean)


def _is_of(value: Any, needle: str) -> bool:
    return isinstance(value, dict) and any(
        isinstance(one, str) and one.lower() == needle for one in value.values()
    )
