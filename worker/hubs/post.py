"""One callback, posted once, and what came of it."""

import time
from dataclasses import dataclass
from datetime import datetime

import orjson
import structlog

from communication.clock import now
from communication.encoding import to_json
from communication.http.client import HttpClient, HttpError
from communication.hubs.query import interest_of
from worker.hubs.signature import signed_headers
from worker.hubs.verdict import Result, Verdict, result_of

log = structlog.get_logger(part="worker.hubs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """A hub, as far as posting to it goes. `secrets`: those in force, the newest first."""

    key: int
    id: str
    tenant: str
    url: str
    query: str
    secrets: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """An event for a hub. `body` is its whole JSON; `attempts` were made before."""

    key: int
    position: int
    event_id: str
    event_type: str
    attempts: int
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A try that was made."""

    job: Job
    result: Result
    at: datetime
    took_ms: int


class Poster:
    """Posts callbacks; shared by threads. Knows no store."""

    def __init__(self, client: HttpClient) -> None:
        self._client = client

    def close(self) -> None:
        """Close what is kept open."""
        self._client.close()

    def attempt(self, listener: Listener, job: Job) -> Tried:
        """Try once. Never raises: whatever went wrong is a result."""
        began, clock = now(), time.perf_counter()
        try:
            result = self._post(listener, job, began)
        except HttpError as error:
            result = Result(verdict=Verdict.RETRY, reason=error.reason)
        except Exception as error:
            log.exception("a callback stumbled", hub=listener.id, event_id=job.event_id)
            result = Result(verdict=Verdict.RETRY, reason=f"unexpected {type(error).__name__}")
        took = round((time.perf_counter() - clock) * 1000)
        return Tried(job=job, result=result, at=began, took_ms=took)

    def _post(self, listener: Listener, job: Job, moment: datetime) -> Result:
        body = _shown(listener.query, job.body)
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Tidings",
            **signed_headers(listener.secrets, job.event_id, body, at=moment),
        }
        answer = self._client.request("POST", listener.url, headers=headers, content=body)
        return result_of(answer.status, answer.headers, now=now())


def _shown(query: str, body: str) -> bytes:
    """The event as this hub wants to see it."""
    interest = interest_of(query)
    if interest.wants_all_fields:
        return body.encode()
    return to_json(interest.shown(orjson.loads(body)))
