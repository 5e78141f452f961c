"""Hubs told by a worker of the test's own, without a broker."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from communication.clock import now
from communication.events.told import UPDATE, Told
from communication.http.client import Guard, HttpClient
from communication.hubs.listener_model import CALLBACK
from communication.hubs.registration import NewHub, register
from communication.model import State
from communication.settings import Settings
from communication.store import Store
from tests.listener import Listener
from tests.messages import rows
from tests.waiting import wait_until
from worker.hubs.lease import lease_hubs
from worker.hubs.post import Poster
from worker.hubs.runner import HubRunner
from worker.hubs.sink import HubSink

SETTINGS = Settings(
    callback_schedule="0.1,0.2,0.3", callback_timeout=30, lease=30, callback_concurrency=4
)
ALLOWED = Guard.of("127.0.0.0/8")


@contextmanager
def runner(store: Store, **changed: Any) -> Iterator[HubRunner]:
    settings = SETTINGS.model_copy(update=changed)
    client = HttpClient(ALLOWED, timeout=settings.callback_timeout, max_body=4096)
    running = HubRunner(store, settings, Poster(client))
    yield running
    running.stop()
    running.close()


def hub(store: Store, listener: Listener, query: str = "") -> Any:
    with store.write() as connection:
        new = NewHub(callback=listener.url, query=query, api_version="v1")
        return register(connection, "default", new)


def tell(store: Store, count: int, first: int = 1, event_type: str = UPDATE, **body: Any) -> None:
    told = [
        Told(
            position=number,
            id=f"e{number}",
            tenant="default",
            type=event_type,
            at=now(),
            body={
                "eventType": event_type,
                "eventId": f"e{number}",
                "CommunicationMessage": {"id": "m"},
                **body,
            },
            message_key=None,
            delivery_key=None,
        )
        for number in range(first, first + count)
    ]
    with store.write() as connection:
        HubSink(()).put(connection, told)


def relay(store: Store, running: HubRunner) -> None:
    """What the relay does, without a broker."""
    with store.write() as connection:
        moment = now()
        until = moment + timedelta(seconds=SETTINGS.lease)
        hubs = lease_hubs(connection, most=100, lease="relay", now=moment, until=until)
    for key, failing in hubs.items():
        running.begin(key, "relay", failing=failing)


def states(store: Store) -> list[str]:
    return [row.state for row in rows(store, CALLBACK)]


def serve(store: Store, running: HubRunner, *, until: Callable[[], Any]) -> None:
    """Relay until the condition holds."""

    def done() -> Any:
        relay(store, running)
        return until()

    wait_until(done)


def all_ended(store: Store) -> bool:
    return State.PENDING not in states(store)
