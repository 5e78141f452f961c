"""Pages of lists: offset, limit, and the headers that tell of the rest (TMF630)."""

import re
from collections.abc import Collection, Iterable, Sequence
from urllib.parse import quote, unquote_plus

from falcon import Request

from api.answers import Answer
from api.edge import location
from communication.errors import InvalidQueryParameter
from communication.query.tmf630 import DEFAULT_LIMIT, HIGHEST_LIMIT

_OK, _PARTIAL = 200, 206
_WHOLE = re.compile("[0-9]{1,9}")


def check_parameters(req: Request, names: Collection[str]) -> None:
    """InvalidQueryParameter if the query string has any other."""
    for name in req.params:
        if name not in names:
            raise InvalidQueryParameter(f"is none of {', '.join(names)}", field=name)


def one_of(req: Request, name: str, values: Iterable[str]) -> str | None:
    """A parameter that is one of these values, None if it is not given."""
    value = req.get_param(name)
    if value is not None and value not in set(values):
        raise InvalidQueryParameter(f"must be one of {', '.join(values)}", field=name)
    return value


def whole(req: Request, name: str) -> int | None:
    """A parameter that is a whole number, None if it is not given."""
    text = req.get_param(name)
    if text is None:
        return None
    if not _WHOLE.fullmatch(text):
        raise InvalidQueryParameter("must be a whole number, 0 or more", field=name)
    return int(text)


def offset_and_limit(req: Request) -> tuple[int, int]:
    """Where the wanted page begins, and how many it has at most."""
    limit = whole(req, "limit")
    return whole(req, "offset") or 0, DEFAULT_LIMIT if limit is None else min(limit, HIGHEST_LIMIT)


def page(req: Request, items: Sequence[bytes], *, offset: int, limit: int, total: int) -> Answer:
    """A JSON array of items that are JSON already: 200 when it is the whole list, else 206."""
    headers = {"X-Total-Count": str(total), "X-Result-Count": str(len(items))}
    links = ", ".join(_links(req, offset=offset, limit=limit, total=total, shown=len(items)))
    if links:
        headers["Link"] = links
    whole = len(items) == total
    return Answer(_OK if whole else _PARTIAL, b"[" + b",".join(items) + b"]", headers)


def _links(req: Request, *, offset: int, limit: int, total: int, shown: int) -> Iterable[str]:
    if limit == 0 or shown == total:
        return
    yield _link(req, "first", 0, limit)
    if offset > 0:
        yield _link(req, "prev", max(0, min(offset, total) - limit), limit)
    # Nothing shown is the end, whatever an estimated total says: a client must not go round.
    if shown and offset + shown < total:
        yield _link(req, "next", offset + shown, limit)
    yield _link(req, "last", (total - 1) // limit * limit if total else 0, limit)


def _link(req: Request, relation: str, offset: int, limit: int) -> str:
    kept = [
        part
        for part in req.query_string.split("&")
        if part and unquote_plus(part.partition("=")[0]) not in ("offset", "limit")
    ]
    query = "&".join((*kept, f"offset={offset}", f"limit={limit}"))
    return f'<{location(req)}{quote(req.path)}?{query}>; rel="{relation}"'
