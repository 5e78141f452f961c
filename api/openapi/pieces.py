"""Small pieces that descriptions are put together from. Everything is plain JSON."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from api.openapi.patterns import YEARS

Json = dict[str, Any]

MOMENT = "2026-11-21T08:00:00.000Z"


def ref(name: str) -> Json:
    """A schema of the components."""
    return {"$ref": f"#/components/schemas/{name}"}


def text(
    most: int | None = None, *, least: int | None = None, pattern: str | None = None, **more: Any
) -> Json:
    """A string."""
    bounds = {"minLength": least, "maxLength": most, "pattern": pattern}
    return {"type": "string", **{name: one for name, one in bounds.items() if one}, **more}


def number(low: int, high: int | None = None, **more: Any) -> Json:
    """A whole number of a range."""
    bounds = {"minimum": low} if high is None else {"minimum": low, "maximum": high}
    return {"type": "integer", **bounds, **more}


def moment(**more: Any) -> Json:
    """A time with a zone."""
    return {"type": "string", "format": "date-time", "examples": [MOMENT], **more}


def given_moment(**more: Any) -> Json:
    """A time with a zone, as clients send it."""
    return moment(pattern=YEARS, **more)


def one_of(*values: str, **more: Any) -> Json:
    """One of these texts."""
    return {"type": "string", "enum": list(values), **more}


def items(schema: Json, **more: Any) -> Json:
    """A list."""
    return {"type": "array", "items": schema, **more}


def optional(schema: Json) -> Json:
    """The same, or null, which is as good as absent."""
    if "type" in schema and "enum" not in schema:
        return {**schema, "type": [schema["type"], "null"]}
    return {"anyOf": [schema, {"type": "null"}]}


def record(required: Mapping[str, Json], rest: Mapping[str, Json], **more: Any) -> Json:
    """An object that must have some attributes, and may have others."""
    whole = {"type": "object", "properties": {**required, **rest}, **more}
    return whole | ({"required": list(required)} if required else {})


def given(required: Mapping[str, Json], rest: Mapping[str, Json], **more: Any) -> Json:
    """An object as clients send it: what is not required may be null."""
    return record(required, {name: optional(one) for name, one in rest.items()}, **more)


def without(known: Mapping[str, Json], names: Collection[str]) -> dict[str, Json]:
    """All but some."""
    return {name: one for name, one in known.items() if name not in names}


def body(schema: Json, *examples: tuple[str, Any], required: bool = True) -> Json:
    """A request's body."""
    return {"required": required, "content": {"application/json": _media(schema, examples)}}


def answer(
    description: str,
    schema: Json | None = None,
    *examples: tuple[str, Any],
    headers: Iterable[str] = (),
    media_type: str = "application/json",
) -> Json:
    """A response. The headers are those of api/openapi/headers.py."""
    said: Json = {"description": description}
    if schema is not None:
        said["content"] = {media_type: _media(schema, examples)}
    if headers:
        said["headers"] = {name: header(name) for name in headers}
    return said


def header(name: str) -> Json:
    """A header of the components."""
    return {"$ref": f"#/components/headers/{name}"}


def parameter(name: str, where: str, schema: Json, description: str, **more: Any) -> Json:
    """A parameter of a request."""
    found = {"name": name, "in": where, "schema": schema, "description": description, **more}
    return found | ({"required": True} if where == "path" else {})


def _media(schema: Json, examples: tuple[tuple[str, Any], ...]) -> Json:
    shown = {name: {"value": value} for name, value in examples}
    return {"schema": schema, **({"examples": shown} if shown else {})}
