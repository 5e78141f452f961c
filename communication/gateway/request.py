"""What is sent to a gateway for one message."""

from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from communication.encoding import to_json
from communication.gateway.description import PLACEHOLDER
from communication.gateway.gateway import Gateway


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayRequest:
    """An HTTP request."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    content: bytes | None


def build_request(gateway: Gateway, values: Mapping[str, str]) -> GatewayRequest:
    """The request of a gateway's file. `values`: of the placeholders that are the message's."""
    table = gateway.description.request
    known = _values(gateway, values)
    content, content_type = _body(gateway, known)
    headers = {"Accept": "application/json", **_filled(table.headers, known)}
    if content is not None:
        headers["Content-Type"] = content_type
    if table.auth != "none":
        headers["Authorization"] = _authorization(gateway)
    query = urlencode(_filled(table.query, known))
    path = _fill(table.path, known, lambda value: quote(value, safe=""))
    return GatewayRequest(
        method=table.method,
        url=gateway.base + path + (f"?{query}" if query else ""),
        headers=headers,
        content=content,
    )


def _values(gateway: Gateway, values: Mapping[str, str]) -> dict[str, str]:
    known = {"user": gateway.user, "password": gateway.password}
    known |= {name: _clean(value) for name, value in values.items()}
    for name, default in gateway.description.parameters.items():
        known[name] = gateway.own.get(name) or _fill(default, known)
    return known


def _clean(value: str) -> str:
    """Half a surrogate pair has no bytes."""
    return value.encode("utf-8", "replace").decode()


def _body(gateway: Gateway, known: Mapping[str, str]) -> tuple[bytes | None, str]:
    table = gateway.description.request
    if table.form is not None:
        content = urlencode(_filled(table.form, known)).encode()
        return content, "application/x-www-form-urlencoded; charset=utf-8"
    if table.json_body is not None:
        return to_json(_filled_json(table.json_body, known)), "application/json"
    return None, ""


def _authorization(gateway: Gateway) -> str:
    if gateway.description.request.auth == "bearer":
        return f"Bearer {gateway.password or gateway.user}"
    pair = f"{gateway.user}:{gateway.password}"
    return f"Basic {b64encode(pair.encode()).decode()}"


def _fill(text: str, known: Mapping[str, str], escape: Callable[[str], str] = str) -> str:
    return PLACEHOLDER.sub(lambda match: escape(known.get(match[1], "")), text)


def _filled(fields: Mapping[str, str], known: Mapping[str, str]) -> dict[str, str]:
    filled = {name: _fill(text, known) for name, text in fields.items()}
    return {name: value for name, value in filled.items() if value}


def _filled_json(value: Any, known: Mapping[str, str]) -> Any:
    """Strings filled; fields of objects that come out empty are left out."""
    if isinstance(value, str):
        return _fill(value, known)
    if isinstance(value, list):
        return [_filled_json(one, known) for one in value]
    if isinstance(value, dict):
        filled = {name: _filled_json(one, known) for name, one in value.items()}
        return {name: one for name, one in filled.items() if one != ""}
    return value
