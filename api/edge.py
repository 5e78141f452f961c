"""What happens to every request before its resource: path family, caller, request id."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

from falcon import Request, Response

from communication.ids import new_id

_LONG_FAMILIES = ("/communicationMessage/v1", "/tmf-api/communicationManagement/v1")
_RESOURCES = ("communicationMessage", "hub")
ENCODED = "/appUser/"
"""Below it segments reach their resource percent-encoded, for they may hold a slash."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose data a request is about, and which program sent it."""

    tenant: str = "default"
    client: str = ""
    scopes: frozenset[str] = frozenset()


class Edge:
    """Falcon middleware. Resources are routed by the seed's short paths alone (seed 004)."""

    def process_request(self, req: Request, resp: Response) -> None:
        """Split the path into its family and the short path that is routed."""
        req.context.request_id = new_id()
        req.context.caller = Caller()
        req.context.family, req.path = split_family(req.path)
        if req.path.startswith(ENCODED):
            req.path = encoded_path(req.env.get("RAW_URI", ""), req.path)
        resp.set_header("X-Request-ID", req.context.request_id)


def split_family(path: str) -> tuple[str, str]:
    """The prefix of the path family that is called, and the path in the short family.

    `/communicationMessage/v1` is a prefix only before a resource's name: in the short family
    it is the message whose id is `v1`.
    """
    bare = path.rstrip("/") or "/"
    for family in _LONG_FAMILIES:
        rest = bare.removeprefix(family + "/")
        if rest != bare and rest.split("/", 1)[0] in _RESOURCES:
            return family, f"/{rest}"
    if bare == "/api/hub" or bare.startswith("/api/hub/"):
        return "/api", bare.removeprefix("/api")
    return "", bare


def encoded_path(raw: str, decoded: str) -> str:
    """The path as it was sent, `%2F` and all; where the server does not tell, encoded anew.

    `raw` is the request's target (RFC 9112 §3.2): a path or a URL, with its query.
    """
    target = raw.partition("?")[0]
    path = target if target.startswith("/") else "/" + target.partition("://")[2].partition("/")[2]
    bare = path.rstrip("/")
    return bare if unquote(bare).rstrip("/") == decoded else quote(decoded)


def caller_of(req: Request) -> Caller:
    """Who calls: as the access token says (api/gate.py); without authentication, all are one."""
    caller: Caller = req.context.caller
    return caller


def location(req: Request, *segments: str) -> str:
    """A path in the family that was called. The segments are percent-encoded already."""
    family: Any = req.context.family
    return "/".join((str(family), *segments))
