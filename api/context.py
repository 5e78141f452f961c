"""What every resource works with."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from falcon import Request
from sqlalchemy import Connection

from api.answers import Answer
from api.backlog import Backlog
from api.body import read_nothing, read_object
from api.idempotency import keyed, once
from communication.settings import Settings
from communication.store import Store
from communication.wire.message import Rules


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The store, the settings, and what is done alike everywhere with them."""

    store: Store
    settings: Settings
    rules: Rules
    backlog: Backlog
    """Of what is to be sent."""
    untold: Backlog
    """Of events."""

    def read_object(self, req: Request) -> dict[str, Any]:
        """The request's body, a JSON object."""
        return read_object(req, max_body=self.settings.max_body)

    def read_nothing(self, req: Request) -> None:
        """Check that the request's body says nothing."""
        read_nothing(req, max_body=self.settings.max_body)

    def once(
        self,
        req: Request,
        body: Any,
        work: Callable[[Connection], Answer],
        *,
        single: bool = False,
    ) -> Answer:
        """The answer of the work, done in one transaction and once per Idempotency-Key.

        `single`: the work is a single statement (see Store.write_at_once).
        """
        request = keyed(req, body)
        if request is None:
            with self.store.write_at_once() if single else self.store.write() as connection:
                return work(connection)
        ttl = timedelta(seconds=self.settings.idempotency_ttl)
        with self.store.write() as connection:
            return once(connection, request, ttl, lambda: work(connection))
