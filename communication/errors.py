"""Every error that Tidings raises on purpose. The api maps RequestErrors to error bodies."""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Self, TypeVar

T = TypeVar("T")


class TidingsError(Exception):
    """The root."""


class RequestError(TidingsError):
    """A request that can't be served. `code` and `status` are those of seed 000's table.

    `field` names what is wrong as the client wrote it (`receiver[3].email`); `message` says
    what is wrong with it and what to do.
    """

    code = 1
    status = 500
    reason = "Internal error"
    headers: Mapping[str, str] = MappingProxyType({})
    """What the answer says beside its body."""

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field

    def inside(self, outer: str) -> Self:
        """The same error, its field being one of `outer`'s."""
        self.field = f"{outer}.{self.field}" if self.field else outer
        return self


class InvalidPathParameter(RequestError):
    """An id that can't be one."""

    code, status, reason = 20, 400, "Invalid URL parameter value"


class MissingBody(RequestError):
    """A body is needed and none came."""

    code, status, reason = 21, 400, "Missing body"


class InvalidBody(RequestError):
    """The body is no JSON object in UTF-8."""

    code, status, reason = 22, 400, "Invalid body"


class BodyTooLarge(InvalidBody):
    """The body is over the limit."""

    status = 413


class UnsupportedBody(InvalidBody):
    """The body is of a type or an encoding that is not understood."""

    status = 415


class MissingField(RequestError):
    """A required body field is absent."""

    code, status, reason = 23, 400, "Missing body field"


class InvalidField(RequestError):
    """A body field has a wrong type or value."""

    code, status, reason = 24, 400, "Invalid body field"


class MissingHeader(RequestError):
    """A required header is absent."""

    code, status, reason = 25, 400, "Missing header"


class InvalidHeader(RequestError):
    """A header has a value that can't be used."""

    code, status, reason = 26, 400, "Invalid header value"


class MissingQueryParameter(RequestError):
    """A query parameter is needed, or came without a value."""

    code, status, reason = 27, 400, "Missing query-string parameter"


class InvalidQueryParameter(RequestError):
    """A query parameter has a value that can't be used."""

    code, status, reason = 28, 400, "Invalid query-string parameter value"


class MissingCredentials(RequestError):
    """Nobody says who calls."""

    code, status, reason = 40, 401, "Missing credentials"


class InvalidCredentials(RequestError):
    """The access token is none that this API trusts."""

    code, status, reason = 41, 401, "Invalid credentials"


class ExpiredCredentials(RequestError):
    """The access token was good once."""

    code, status, reason = 42, 401, "Expired credentials"


class AccessDenied(RequestError):
    """The caller may not use this at all."""

    code, status, reason = 50, 403, "Access denied"


class ForbiddenRequester(RequestError):
    """The caller's access token lacks the scope that this needs."""

    code, status, reason = 51, 403, "Forbidden requester"


class ForbiddenUser(RequestError):
    """Whoever the access token speaks for is not let in any more."""

    code, status, reason = 52, 403, "Forbidden user"


class TooManyRequests(RequestError):
    """The caller is over its rate limit."""

    code, status, reason = 53, 429, "Too many requests"


class NotFound(RequestError):
    """No such resource."""

    code, status, reason = 60, 404, "Resource not found"


class MethodNotAllowed(RequestError):
    """The resource exists but not with this method."""

    code, status, reason = 61, 405, "Method not allowed"


class Conflict(RequestError):
    """The state of the resource forbids it now."""

    code, status, reason = 62, 409, "Conflict"


class Unprocessable(RequestError):
    """Well-formed, but it can't be done."""

    code, status, reason = 63, 422, "Unprocessable entity"


class ServiceUnavailable(RequestError):
    """The database can't be reached just now."""

    code, status, reason = 5, 503, "The service is temporarily unavailable"


class QueuesUnavailable(RequestError):
    """Redis can't be reached just now; what waits there is in the database too."""

    code, status, reason = 5, 503, "The service is temporarily unavailable"


class OverCapacity(RequestError):
    """More is asked for than can be done just now."""

    code, status, reason = 6, 503, "The service is over capacity"


class SettingsError(TidingsError):
    """Settings that can't be used; the text lists all of them."""


def all_made(makers: Iterable[Callable[[], T]]) -> list[T]:
    """What each of them makes. SettingsError tells, line by line, what is wrong with any."""
    made: list[T] = []
    faults: list[str] = []
    for make in makers:
        try:
            made.append(make())
        except SettingsError as error:
            faults += str(error).splitlines()
    if faults:
        raise SettingsError("\n".join(dict.fromkeys(faults)))
    return made


class BrokerUnavailable(TidingsError):
    """The message broker can't be reached just now; the work stays due in the database."""


class HttpError(TidingsError):
    """A request of ours got no answer. `reason` may be shown to the client that named the URL."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Refused(HttpError):
    """The URL is not to be called, and nothing was sent."""


class ConnectionFailed(HttpError):
    """The peer was not reached, or it hung up. `sent`: it may have received the request.

    `shared`: the same connection was lost for another request, which fails without this.
    """

    def __init__(self, reason: str, *, sent: bool, shared: bool = False) -> None:
        super().__init__(reason)
        self.sent = sent
        self.shared = shared


class TimedOut(HttpError):
    """There was no whole answer in time. `sent`: the peer may have received the request."""

    def __init__(self, reason: str, *, sent: bool) -> None:
        super().__init__(reason)
        self.sent = sent


class DeliveryError(TidingsError):
    """A provider did not take a message. `reason` is recorded with the attempt."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class PermanentDeliveryError(DeliveryError):
    """Trying again would be refused again: a bad address, a definitive refusal."""


class TransientDeliveryError(DeliveryError):
    """It may work later: a lost connection, a busy provider. `retry_after` in seconds."""

    def __init__(self, reason: str, *, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after
