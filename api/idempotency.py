"""Idempotency-Key: the same request, sent again, gets the first answer and does nothing."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from falcon import Request
from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select

from api.answers import Answer
from api.edge import Caller, caller_of
from communication.clock import now
from communication.encoding import canonical_json
from communication.errors import Conflict, InvalidHeader, Unprocessable
from communication.model import IDEMPOTENCY

HEADER = "Idempotency-Key"
LONGEST = 255
_MINE = (
    IDEMPOTENCY.c.tenant == bindparam("of_tenant"),
    IDEMPOTENCY.c.client == bindparam("of_client"),
    IDEMPOTENCY.c.route == bindparam("of_route"),
    IDEMPOTENCY.c.idempotency_key == bindparam("of_key"),
)
_FIND = select(IDEMPOTENCY).where(*_MINE)
_FORGET = delete(IDEMPOTENCY).where(*_MINE)
_TRY_LOCK = select(func.pg_try_advisory_xact_lock(bindparam("number")))


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyed:
    """A request that a key stands for. Keys are apart per caller and route."""

    caller: Caller
    route: str
    key: str
    request_hash: str


def keyed(req: Request, body: Any) -> Keyed | None:
    """What the request's key stands for; None without one. InvalidHeader for a bad key."""
    key = req.get_header(HEADER)
    if key is None:
        return None
    if not 1 <= len(key) <= LONGEST or not all("!" <= letter <= "~" for letter in key):
        raise InvalidHeader(f"{HEADER} must be 1 to {LONGEST} visible ASCII characters")
    return Keyed(
        caller=caller_of(req),
        route=f"{req.method} {req.path}",
        key=key,
        request_hash=hashlib.sha256(canonical_json(body)).hexdigest(),
    )


def once(
    connection: Connection, request: Keyed, ttl: timedelta, work: Callable[[], Answer]
) -> Answer:
    """The work's answer, or the first answer to the same request without doing it again.

    Conflict while the first is still at work (SQLite has one writer: there it is waited
    for), Unprocessable when the key stood for another body. An error of the work is not kept.
    """
    moment = now()
    if connection.dialect.name == "postgresql":
        _lock(connection, request)
    first = connection.execute(_FIND, _parameters(request)).one_or_none()
    if first is not None and first.created_at > moment - ttl:
        return _replayed(first, request)
    if first is not None:
        connection.execute(_FORGET, _parameters(request))
    answer = work()
    _keep(connection, request, answer, moment)
    return answer


def _lock(connection: Connection, request: Keyed) -> None:
    whole = "\0".join(_parameters(request).values())
    digest = hashlib.sha256(whole.encode()).digest()
    number = int.from_bytes(digest[:8], signed=True)
    if not connection.execute(_TRY_LOCK, {"number": number}).scalar_one():
        raise Conflict(f"the first request with this {HEADER} is still in flight; try again later")


def _replayed(first: Row[Any], request: Keyed) -> Answer:
    if first.request_hash != request.request_hash:
        raise Unprocessable(f"this {HEADER} came with another body before; use a new key")
    headers = first.headers | {"Idempotent-Replayed": "true"}
    return Answer(int(first.status), first.body.encode(), headers)


def _keep(connection: Connection, request: Keyed, answer: Answer, moment: datetime) -> None:
    connection.execute(
        insert(IDEMPOTENCY),
        {
            "tenant": request.caller.tenant,
            "client": request.caller.client,
            "route": request.route,
            "idempotency_key": request.key,
            "request_hash": request.request_hash,
            "status": str(answer.status),
            "headers": answer.headers,
            "body": answer.body.decode(),
            "created_at": moment,
        },
    )


def _parameters(request: Keyed) -> dict[str, str]:
    return {
        "of_tenant": request.caller.tenant,
        "of_client": request.caller.client,
        "of_route": request.route,
        "of_key": request.key,
    }
