"""Who gets in: every resource says which scopes its methods need, and the gate asks for them."""

from collections.abc import Mapping
from typing import Any

from falcon import App, Request, Response
from falcon.constants import COMBINED_METHODS
from falcon.routing import map_http_methods

from api.edge import Caller, caller_of
from api.rates import Rates
from api.tokens import Tokens
from communication.errors import (
    AccessDenied,
    ForbiddenRequester,
    InvalidCredentials,
    MethodNotAllowed,
    MissingCredentials,
    RequestError,
)
from communication.scopes import SCOPES

_LONGEST_TOKEN = 8192
_REALM = 'Bearer realm="tidings"'


class GatedApp(App[Any, Any]):
    """A Falcon app whose every resource declares `scopes`; TypeError for one that doesn't."""

    scopes_by_route: Mapping[str, Mapping[str, str]]

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._scopes: dict[str, Mapping[str, str]] = {}
        self.scopes_by_route = self._scopes

    def add_route(self, uri_template: str, resource: object, **options: Any) -> None:
        """Serve the resource there."""
        _check_declared(uri_template, resource, options.get("suffix"))
        self._scopes[uri_template] = getattr(resource, "scopes", {})
        super().add_route(uri_template, resource, **options)


class Gate:
    """Falcon middleware: sets the caller from the access token. Without `tokens` all may enter.

    A resource with `admits` asks nothing of those whom it admits, and is for nobody else where
    there are no tokens.
    """

    def __init__(self, tokens: Tokens | None, rates: Rates) -> None:
        self._tokens = tokens
        self._rates = rates

    def process_resource(
        self, req: Request, resp: Response, resource: object, _params: Mapping[str, Any]
    ) -> None:
        """A RequestError of code 40 to 51, and WWW-Authenticate (RFC 6750 §3), keeps it out."""
        if req.method not in _METHODS:
            _refuse_method(resource)
        scopes: Mapping[str, str] = getattr(resource, "scopes", {})
        admits = getattr(resource, "admits", None)
        if not scopes or (admits is not None and admits(req)):
            return
        if self._tokens is None:
            if admits is not None:
                raise AccessDenied("only addresses of TIDINGS_OPERATIONS_ALLOW may read this")
            self._rates.check(caller_of(req))
            return
        try:
            caller = self._tokens.caller(_bearer(req))
            _check_tenant(req, caller)
            self._rates.check(caller)
            _check_scope(caller, scopes.get("GET" if req.method == "HEAD" else req.method))
        except RequestError as error:
            if error.status in _CHALLENGES:
                resp.set_header("WWW-Authenticate", _challenge(error))
            raise
        req.context.caller = caller


_FORBIDDEN = 403
_CHALLENGES = (401, _FORBIDDEN)
_METHODS = frozenset(COMBINED_METHODS)


def _refuse_method(resource: object) -> None:
    """Falcon would call a method that it does not know a bad request."""
    error = MethodNotAllowed("the Allow header lists the methods that this resource has")
    error.headers = {"Allow": ", ".join(sorted(map_http_methods(resource)))}
    raise error


def _check_declared(where: str, resource: object, suffix: str | None) -> None:
    scopes = getattr(resource, "scopes", None)
    name = type(resource).__name__
    if not isinstance(scopes, Mapping):
        raise TypeError(f"{name} at {where} does not declare `scopes`")
    methods = set(map_http_methods(resource, suffix)) & set(COMBINED_METHODS)
    without = methods - set(scopes) - {"HEAD", "OPTIONS"}
    if scopes and without:
        raise TypeError(f"{name} at {where} declares no scope for {', '.join(sorted(without))}")
    unknown = {one for value in scopes.values() for one in value.split()} - SCOPES
    if unknown:
        raise TypeError(f"{name} at {where} declares unknown scopes: {', '.join(sorted(unknown))}")


def _bearer(req: Request) -> str:
    header = req.get_header("Authorization")
    if not header:
        raise MissingCredentials("send an access token: Authorization: Bearer …")
    scheme, _, token = header.partition(" ")
    token = token.strip(" ")
    if scheme.lower() != "bearer" or not token:
        raise InvalidCredentials("Authorization must be `Bearer` and an access token")
    if len(token) > _LONGEST_TOKEN or not token.isascii():
        raise InvalidCredentials("the access token can't be verified")
    return token


def _check_tenant(req: Request, caller: Caller) -> None:
    named = req.get_header("X-TWC-Tenant")
    if named is not None and named != caller.tenant:
        raise AccessDenied("X-TWC-Tenant is not the tenant of the access token")


def _check_scope(caller: Caller, wanted: str | None) -> None:
    if wanted is not None and caller.scopes.isdisjoint(wanted.split()):
        raise _LackingScope(wanted)


class _LackingScope(ForbiddenRequester):
    def __init__(self, wanted: str) -> None:
        super().__init__(f"the access token lacks the scope {' or '.join(wanted.split())}")
        self.wanted = wanted


def _challenge(error: RequestError) -> str:
    """RFC 6750 §3.1: a good token that is not enough, whatever it lacks, is insufficient_scope.

    A `scope` is named only where one would help.
    """
    if isinstance(error, MissingCredentials):
        return _REALM
    if isinstance(error, _LackingScope):
        return f'{_REALM}, error="insufficient_scope", scope="{error.wanted}"'
    kind = "insufficient_scope" if error.status == _FORBIDDEN else "invalid_token"
    return f'{_REALM}, error="{kind}", error_description="{error.message}"'
