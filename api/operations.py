"""For operators: /health, /ready, /metrics (docs/operations.md)."""

import ipaddress
from collections.abc import Mapping
from typing import Any, ClassVar

import falcon
import pika
from falcon import Request, Response
from pika.adapters.utils.connection_workflow import AMQPConnectorException
from pika.exceptions import AMQPError
from prometheus_client import CONTENT_TYPE_LATEST
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import select

from api.metrics_page import metrics_page
from communication.encoding import to_json
from communication.errors import ServiceUnavailable
from communication.settings import Settings
from communication.store import Store

_PATIENCE = 2.0
"""Seconds for a broker to answer."""


class Health:
    """Whether the process lives: nothing else is looked at."""

    scopes: ClassVar[Mapping[str, str]] = {}

    def on_get(self, _req: Request, resp: Response) -> None:
        """200."""
        resp.data = to_json({"status": "alive"})

    on_head = on_get


class ForOperators:
    """A resource that is read from TIDINGS_OPERATIONS_ALLOW, or with the scope `admin`."""

    scopes: ClassVar[Mapping[str, str]] = {"GET": "admin"}

    def __init__(self, settings: Settings) -> None:
        named = settings.operations_allow.split(",")
        self._networks = [ipaddress.ip_network(one.strip()) for one in named if one]

    def admits(self, req: Request) -> bool:
        """Whether no token is asked for: whoever asks has an operator's address.

        And spells the path as it is: a proxy that keeps it to itself may know no other spelling.
        """
        if req.env.get("RAW_URI", req.path).partition("?")[0] != req.path:
            return False
        try:
            address = ipaddress.ip_address(req.remote_addr)
        except ValueError:
            return False
        mapped = getattr(address, "ipv4_mapped", None)
        return any((mapped or address) in network for network in self._networks)


class Ready(ForOperators):
    """Whether requests can be served; the broker and Redis are reported, not required."""

    def __init__(self, store: Store, settings: Settings, redis: "Redis | None") -> None:
        super().__init__(settings)
        self._store = store
        self._settings = settings
        self._redis = redis

    def on_get(self, _req: Request, resp: Response) -> None:
        """200 when the database answers, else 503."""
        database = self._database()
        resp.status = 200 if database["ok"] else 503
        parts = {"database": database, "broker": self._broker(), "redis": self._ping()}
        resp.data = to_json(parts)

    on_head = on_get

    def _database(self) -> dict[str, Any]:
        try:
            with self._store.read() as connection:
                connection.execute(select(1))
        except ServiceUnavailable as error:
            return _report(error.message)
        return _report()

    def _broker(self) -> dict[str, Any]:
        if self._settings.broker_url.startswith("memory"):
            return _report()
        parameters = pika.URLParameters(self._settings.broker_url)
        parameters.socket_timeout = parameters.stack_timeout = _PATIENCE
        parameters.blocked_connection_timeout = _PATIENCE
        parameters.connection_attempts = 1
        try:
            pika.BlockingConnection(parameters).close()
        except (AMQPError, AMQPConnectorException, OSError) as error:
            return _report(type(error).__name__)
        return _report()

    def _ping(self) -> dict[str, Any]:
        try:
            if self._redis is not None:
                self._redis.ping()
        except RedisError as error:
            return _report(type(error).__name__)
        return _report()


def _report(fault: str = "") -> dict[str, Any]:
    return {"ok": not fault, "detail": fault or "reachable"}


class Metrics(ForOperators):
    """What Prometheus scrapes: of all tenants."""

    def __init__(self, store: Store, settings: Settings) -> None:
        super().__init__(settings)
        self._store = store

    def on_get(self, _req: Request, resp: Response) -> None:
        """200; without what the database knows when it can't be reached."""
        resp.content_type = CONTENT_TYPE_LATEST
        resp.data = metrics_page(self._store)
        resp.status = falcon.HTTP_200

    on_head = on_get
