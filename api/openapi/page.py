"""The description as one static HTML page."""

import re
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import Any

import orjson

from api.openapi.document import error_codes

_STYLE = """
:root { color-scheme: light dark; --line: #8886; --soft: #8881; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
h2 { margin-top: 3rem; border-bottom: 1px solid var(--line) }
details { border: 1px solid var(--line); border-radius: 6px; margin: .6rem 0; padding: .4rem .8rem }
summary { cursor: pointer } summary code { font-weight: 600 }
.method { display: inline-block; min-width: 4.5rem; font: 600 .85rem ui-monospace, monospace }
pre { background: var(--soft); padding: .7rem; overflow: auto; border-radius: 6px }
code, pre { font-family: ui-monospace, monospace; font-size: .88rem }
td code { overflow-wrap: anywhere }
td:first-child code { white-space: nowrap }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 1rem }
th, td { text-align: left; vertical-align: top; border-bottom: 1px solid var(--line);
         padding: .25rem .5rem .25rem 0 }
"""


def render(described: Mapping[str, Any]) -> str:
    """HTML in UTF-8, without scripts and without anything of another host."""
    info, schemes = described["info"], described["components"]["securitySchemes"]
    parts = [
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(info['title'])}</title>",
        "<meta name=viewport content='width=device-width, initial-scale=1'>",
        f"<style>{_STYLE}</style><h1>{escape(info['title'])} {escape(info['version'])}</h1>",
        f"<p>{escape(info['summary'])} {_text(info['description'])}",
        "<p>For programs: <a href=/openapi.json>/openapi.json</a>.",
        f"<p>Access tokens: {_text(schemes['token']['description'])}",
        "<nav><ul>",
        *(
            f"<li><a href='#{_anchor(tag['name'])}'>{escape(tag['name'])}</a>"
            for tag in described["tags"]
        ),
        "<li><a href=#errors>Errors</a><li><a href=#headers>Headers</a>",
        "<li><a href=#schemas>Schemas</a></ul></nav>",
        *_operations(described),
        *_errors(),
        *_headers(described["components"]["headers"]),
        *_schemas(described["components"]["schemas"]),
    ]
    return "\n".join(parts)


def _operations(described: Mapping[str, Any]) -> Iterator[str]:
    for tag in described["tags"]:
        yield f"<h2 id='{_anchor(tag['name'])}'>{escape(tag['name'])}</h2>"
        yield f"<p>{escape(tag['description'])}"
        for path, item in described["paths"].items():
            for method, operation in item.items():
                if method != "servers" and tag["name"] in operation["tags"]:
                    yield from _operation(path, method, operation)


def _operation(path: str, method: str, operation: Mapping[str, Any]) -> Iterator[str]:
    # A link to what is inside opens what is folded; one to the fold itself does not.
    yield (
        f"<details><summary><span class=method>{method.upper()}</span> <code>{escape(path)}</code>"
        f" {escape(operation['summary'])}</summary><div id='{operation.get('operationId', '')}'>"
    )
    yield f"<p>{_text(operation.get('description', ''))}</p>"
    if operation["parameters"]:
        yield _table(("Parameter", "In", "", ""), map(_parameter, operation["parameters"]))
    if "requestBody" in operation:
        yield from _content("Request body", operation["requestBody"])
    responses = sorted(operation["responses"].items())
    yield _table(
        ("Status", "", "Body", "Headers"),
        (
            (status, _text(one["description"]), _kind(one), ", ".join(one.get("headers", ())))
            for status, one in responses
        ),
    )
    for status, one in responses:
        if status < _FIRST_ERROR and "content" in one:
            yield from _content(f"Answer {status}", one)
    for callback in operation.get("callbacks", {}).values():
        for where, item in callback.items():
            yield "<h4>What it is sent then</h4>"
            for called, inner in item.items():
                yield from _operation(where, called, inner)
    yield "</div></details>"


_FIRST_ERROR = "300"


def _parameter(one: Mapping[str, Any]) -> tuple[str, str, str, str]:
    needed = " <strong>required</strong>" if one.get("required") else ""
    name = f"<code>{escape(one['name'])}</code>{needed}"
    return name, one["in"], _text(one["description"]), f"<code>{_rule(one['schema'])}</code>"


def _rule(schema: Mapping[str, Any]) -> str:
    """What a short text or number must be like."""
    if "enum" in schema:
        return escape(" | ".join(map(str, schema["enum"])))
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None:
        return f"{low} to {high}" if high is not None else f"{low} or more"
    return escape(str(schema.get("pattern", schema.get("format", schema["type"]))))


def _content(title: str, content: Mapping[str, Any]) -> Iterator[str]:
    yield f"<h4>{escape(title)}: {_kind(content)}</h4>"
    for media in content["content"].values():
        for name, example in media.get("examples", {}).items():
            yield f"<p>{escape(name)}:</p><pre>{_json(example['value'])}</pre>"


def _kind(content: Mapping[str, Any]) -> str:
    """The schema of a body, as a link to it, and its media type."""
    for media_type, media in content.get("content", {}).items():
        schema = media["schema"]
        name = str(schema.get("items", schema).get("$ref", "")).rpartition("/")[2]
        shown = f"<a href='#schema-{name}'>{name}</a>" if name else schema.get("type", "one of")
        return f"{'list of ' if 'items' in schema else ''}{shown} ({escape(media_type)})"
    return ""


def _errors() -> Iterator[str]:
    yield "<h2 id=errors>Errors</h2><table><tr><th>Code<th>Status<th>Means"
    seen: set[int] = set()
    for code, status, reason in error_codes():
        anchor = "" if code in seen else f" id=error-{code}"
        seen.add(code)
        yield f"<tr{anchor}><td>{code}<td>{status}<td>{escape(reason)}"
    yield "</table>"


def _headers(headers: Mapping[str, Any]) -> Iterator[str]:
    yield "<h2 id=headers>Headers</h2>"
    yield _table(
        ("Header of an answer", "", ""),
        (
            (escape(name), _text(one["description"]), f"<code>{_rule(one['schema'])}</code>")
            for name, one in headers.items()
        ),
    )


def _schemas(schemas: Mapping[str, Any]) -> Iterator[str]:
    yield "<h2 id=schemas>Schemas</h2>"
    for name, schema in schemas.items():
        yield f"<details><summary><code>{escape(name)}</code></summary>"
        yield f"<pre id='schema-{name}'>{_json(schema)}</pre></details>"


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Of cells that are HTML already."""
    head = "".join(f"<th>{escape(one)}" for one in heads)
    body = "".join("<tr>" + "".join(f"<td>{cell}" for cell in row) for row in rows)
    return f"<table><tr>{head}{body}</table>"


def _text(said: str) -> str:
    """With what stands between backticks as code."""
    return _CODE.sub(r"<code>\1</code>", escape(said))


_CODE = re.compile("`([^`]+)`")


def _json(value: Any) -> str:
    return escape(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())


def _anchor(name: str) -> str:
    return escape(name.lower().replace(" ", "-"))
