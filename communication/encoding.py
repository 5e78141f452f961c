"""The one JSON encoder."""

from typing import Any

import orjson


def to_json(value: Any) -> bytes:
    """JSON in UTF-8."""
    return orjson.dumps(value)


def canonical_json(value: Any) -> bytes:
    """JSON that is the same for the same value, whatever the order of names; 1 is not true."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
