"""Events for tests that need no HTTP: deliveries ended by hand, and a listener that remembers."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, update

from communication.clock import now
from communication.events.happening import Happening, Kind, record
from communication.events.told import Told
from communication.model import DELIVERY, State
from communication.settings import Settings
from communication.store import Store
from tests.messages import rows
from worker.outcomes import Outcome, settle
from worker.sequencer import Sequencer

SETTINGS = Settings(public_url="https://tidings.example")


class Calls:
    """A broker that only counts what is published."""

    def __init__(self) -> None:
        self.queues: dict[str, list[dict[str, Any]]] = defaultdict(list)

    def depth(self, queue: str) -> int:
        return len(self.queues[queue])

    def publish(self, queue: str, actor: str, **arguments: Any) -> None:
        self.queues[queue].append({"actor": actor, **arguments})

    def keep_alive(self) -> None:
        pass


class Remembering:
    """A sink that wants what it is told to want, and remembers what it was given."""

    def __init__(self, wanted: Mapping[str, set[str]]) -> None:
        self.wanted = dict(wanted)
        self.batches: list[list[Told]] = []

    def wants(self, _connection: Connection) -> Mapping[str, set[str]]:
        return self.wanted

    def put(self, _connection: Connection, told: Sequence[Told]) -> None:
        self.batches.append(list(told))

    @property
    def told(self) -> list[Told]:
        return [one for batch in self.batches for one in batch]


def sequencer(store: Store, *sinks: Remembering, calls: Calls | None = None) -> Sequencer:
    return Sequencer(store, SETTINGS, calls or Calls(), sinks)


def end_deliveries(
    store: Store, state: State = State.DELIVERED, reason: str | None = None
) -> list[Outcome]:
    """End every open delivery."""
    with store.write() as connection:
        connection.execute(
            update(DELIVERY)
            .where(DELIVERY.c.due_at.is_not(None))
            .values(lease="worker", state=State.SENDING)
        )
    outcomes = [
        Outcome(
            delivery_key=row.key,
            message_key=row.message_key,
            attempts=1,
            state=state,
            reason=reason,
            at=now(),
        )
        for row in rows(store, DELIVERY)
        if row.lease == "worker"
    ]
    with store.write() as connection:
        return settle(connection, outcomes, lease="worker", now=now())


def happening(number: int, *, tenant: str = "default", **more: Any) -> Happening:
    """Something that was heard; its payload carries the number."""
    return Happening(
        kind=Kind.HEARD,
        tenant=tenant,
        at=now(),
        type="TestNotification",
        payload={"number": number},
        **more,
    )


def hear(store: Store, *numbers: int, tenant: str = "default") -> None:
    """Record that so many things happened, in one transaction."""
    with store.write() as connection:
        record(connection, [happening(number, tenant=tenant) for number in numbers])
