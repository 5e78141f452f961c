"""/openapi.json, and /docs: the same as a page, which loads nothing from anywhere."""

from collections.abc import Mapping
from typing import Any, ClassVar

from falcon import Request, Response

from api.openapi.document import Scopes, describe, openapi_path
from api.openapi.page import render
from communication.encoding import to_json
from communication.settings import Settings

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"


class Description:
    """The API's own description, for programs."""

    scopes: ClassVar[Mapping[str, str]] = {}

    def __init__(self, described: Mapping[str, Any]) -> None:
        self._content = to_json(described)

    def on_get(self, _req: Request, resp: Response) -> None:
        """200."""
        resp.data = self._content

    on_head = on_get


class Page:
    """The API's own description, for people."""

    scopes: ClassVar[Mapping[str, str]] = {}

    def __init__(self, described: Mapping[str, Any]) -> None:
        self._content = render(described).encode()

    def on_get(self, _req: Request, resp: Response) -> None:
        """200."""
        resp.content_type = "text/html; charset=utf-8"
        resp.set_header("Content-Security-Policy", _POLICY)
        resp.data = self._content

    on_head = on_get


def description(routes: Mapping[str, Mapping[str, str]], settings: Settings) -> dict[str, Any]:
    """Of the routes that are served, with their scopes."""
    scopes: Scopes = {openapi_path(route): needed for route, needed in routes.items()}
    return describe(scopes, settings)
