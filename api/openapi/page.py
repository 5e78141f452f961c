"""The description as one static HTML page."""

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
table { border-collapse: collapse; width: 100%; margin: .5rem 0 1rem }
th, td { text-align: left; vertical-align: top; border-bottom: 1px solid var(--line);
         padding: .25rem .5rem .25rem 0 }
"""


def render(described: Mapping[str, Any]) -> str:
    """HTML in UTF-8, without scripts and without anything of another host."""
    info = described["info"]
    parts = [
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(info['title'])}</title>",
        "<meta name=viewport content='width=device-width, initial-scale=1'>",
        f"<style>{_STYLE}</style><h1>{escape(info['title'])} {escape(info['version'])}</h1>",
        f"<p>{escape(info['description'])} For programs: <a href=/openapi.json>/openapi.json</a>.",
        f"<p>{escape(described['components']['securitySchemes']['token']['description'])}",
        "<nav><ul>",
        *(
            f"<li><a href='#{_anchor(tag['name'])}'>{escape(tag['name'])}</a>"
            for tag in described["tags"]
        ),
        "<li><a href=#errors>Errors</a><li><a href=#schemas>Schemas</a></ul></nav>",
        *_operations(described),
        *_errors(),
        *_schemas(described["components"]["schemas"]),
    ]
    return "\n".join(parts)


def _operations(described: Mapping[str, Any]) -> Iterator[str]:
    for tag in described["tags"]:
        yield f"<h2 id='{_anchor(tag['name'])}'>{escape(tag['name'])}</h2>"
        for path, item in described["paths"].items():
            for method, operation in item.items():
                if method != "servers" and tag["name"] in operation["tags"]:
                    yield from _operation(path, method, operation)


def _operation(path: str, method: str, operation: Mapping[str, Any]) -> Iterator[str]:
    yield (
        f"<details id='{operation['operationId']}'><summary><span class=method>{method.upper()}"
        f"</span> <code>{escape(path)}</code> {escape(operation['summary'])}</summary>"
    )
    yield f"<p>{escape(operation.get('description', ''))}</p>"
    if operation["parameters"]:
        yield _table(
            ("Parameter", "In", ""),
            ((one["name"], one["in"], one["description"]) for one in operation["parameters"]),
        )
    if "requestBody" in operation:
        yield from _content("Request body", operation["requestBody"])
    yield _table(
        ("Status", "", "Body"),
        (
            (status, answer["description"], _kind(answer.get("content", {})))
            for status, answer in sorted(operation["responses"].items())
        ),
    )
    for status, answer in sorted(operation["responses"].items()):
        if any("examples" in media for media in answer.get("content", {}).values()):
            yield from _content(f"Answer {status}", answer)
    yield "</details>"


def _content(title: str, content: Mapping[str, Any]) -> Iterator[str]:
    yield f"<h4>{escape(title)}: {escape(_kind(content['content']))}</h4>"
    for media in content["content"].values():
        for name, example in media.get("examples", {}).items():
            yield f"<p>{escape(name)}:</p><pre>{_json(example['value'])}</pre>"


def _kind(content: Mapping[str, Any]) -> str:
    for media_type, media in content.items():
        schema = media["schema"]
        inner = schema.get("items", schema)
        name = str(inner.get("$ref", "")).rpartition("/")[2] or str(schema.get("type", "any"))
        return f"list of {name}" if "items" in schema else f"{name} ({media_type})"
    return ""


def _errors() -> Iterator[str]:
    yield "<h2 id=errors>Errors</h2><table><tr><th>Code<th>Status<th>Means"
    seen: set[int] = set()
    for code, status, reason in error_codes():
        anchor = "" if code in seen else f" id=error-{code}"
        seen.add(code)
        yield f"<tr{anchor}><td>{code}<td>{status}<td>{escape(reason)}"
    yield "</table>"


def _schemas(schemas: Mapping[str, Any]) -> Iterator[str]:
    yield "<h2 id=schemas>Schemas</h2>"
    for name, schema in schemas.items():
        yield f"<details id='schema-{name}'><summary><code>{escape(name)}</code></summary>"
        yield f"<pre>{_json(schema)}</pre></details>"


def _table(heads: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    head = "".join(f"<th>{escape(one)}" for one in heads)
    body = "".join("<tr>" + "".join(f"<td>{escape(str(x))}" for x in row) for row in rows)
    return f"<table><tr>{head}{body}</table>"


def _json(value: Any) -> str:
    return escape(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())


def _anchor(name: str) -> str:
    return escape(name.lower().replace(" ", "-"))
