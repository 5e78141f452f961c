"""Request bodies: JSON objects in UTF-8, bounded in size and depth."""

from typing import Any

import orjson
from falcon import Request

from communication.errors import (
    BodyTooLarge,
    InvalidBody,
    InvalidField,
    InvalidHeader,
    MissingBody,
    MissingHeader,
    UnsupportedBody,
)

DEEPEST = 64
"""Levels of nesting: more than anybody writes, fewer than any encoder behind us bears."""
MOST_VALUES = 2_000_000
"""By the marks that part them: 100,000 receivers have half as many. `{},` is three bytes of a body,
and two hundred of memory."""
_CHUNK = 1 << 16
_UTF_8 = ("utf-8", "utf8", "us-ascii")


def read_object(req: Request, *, max_body: int) -> dict[str, Any]:
    """The body, a JSON object. A RequestError with the code of what is wrong with it."""
    raw = _read(req, max_body)
    if not raw:
        raise MissingBody("send a JSON object as the body")
    _check_type(req)
    body = _parse(raw)
    if not isinstance(body, dict):
        raise InvalidBody("the body must be a JSON object")
    _check_depth(body)
    if b"\\u0000" in raw:
        _check_no_nul(body)
    return body


def read_nothing(req: Request, *, max_body: int) -> None:
    """Check that the body says nothing: it is empty, or an empty object."""
    raw = _read(req, max_body)
    if raw and _parse(raw) != {}:
        raise InvalidField("the body must be empty: this acts on what is stored; change that first")


def read_raw(req: Request, *, max_body: int) -> bytes:
    """The body as it is; b"" where there is none."""
    return _read(req, max_body)


def _read(req: Request, max_body: int) -> bytes:
    _check_encoding(req)
    length = req.content_length
    if length is not None and length > max_body:
        raise BodyTooLarge(f"the body has {length} bytes; the limit is {max_body}")
    if length is not None:
        return bytes(req.bounded_stream.read())
    if "chunked" not in (req.get_header("Transfer-Encoding") or "").lower():
        return b""
    return _read_chunked(req, max_body)


def _read_chunked(req: Request, max_body: int) -> bytes:
    parts = bytearray()
    while chunk := req.stream.read(_CHUNK):
        parts += chunk
        if len(parts) > max_body:
            raise BodyTooLarge(f"the body has more than {max_body} bytes, the limit")
    return bytes(parts)


def _check_encoding(req: Request) -> None:
    encoding = (req.get_header("Content-Encoding") or "identity").strip().lower()
    if encoding != "identity":
        raise UnsupportedBody(f"Content-Encoding {encoding} is not understood; send it as it is")


def _check_type(req: Request) -> None:
    if not req.content_type:
        raise MissingHeader("Content-Type is required: application/json")
    media_type, *parameters = (part.strip().lower() for part in req.content_type.split(";"))
    if media_type != "application/json" and not (
        media_type.startswith("application/") and media_type.endswith("+json")
    ):
        raise UnsupportedBody(f"Content-Type {media_type} is not understood; use application/json")
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "charset" and value.strip(' "') not in _UTF_8:
            raise InvalidHeader(f"Content-Type: charset {value} is not understood; use utf-8")


def _parse(raw: bytes) -> Any:
    if sum(map(raw.count, (b",", b"[", b"{"))) > MOST_VALUES:
        raise BodyTooLarge(f"the body has more than {MOST_VALUES} values, the limit")
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        raise InvalidBody(f"the body is not UTF-8: {error.reason} at byte {error.start}") from error
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise InvalidBody(f"the body is not JSON: {error}") from error


def _check_depth(body: Any) -> None:
    level = [body]
    for _ in range(DEEPEST):
        level = [
            child
            for one in level
            for child in (one.values() if isinstance(one, dict) else one)
            if isinstance(child, (dict, list))
        ]
        if not level:
            return
    raise InvalidBody(f"the body is nested deeper than {DEEPEST} levels")


def _check_no_nul(body: Any) -> None:
    left: list[tuple[str, Any]] = [("", body)]
    while left:
        path, value = left.pop()
        if isinstance(value, str) and "\0" in value:
            raise InvalidField("must not contain the character \\u0000", field=path)
        if isinstance(value, list):
            left += [(f"{path}[{place}]", one) for place, one in enumerate(value)]
        if isinstance(value, dict):
            left += [(_nested(path, name), one) for name, one in value.items()]


def _nested(path: str, name: str) -> str:
    whole = f"{path}.{name}" if path else name
    if "\0" in name:
        raise InvalidField(
            "must not contain the character \\u0000", field=whole.replace("\0", "\\u0000")
        )
    return whole
