"""What each tenant's things are counted as, from acceptance to the last receipt."""

from datetime import timedelta
from itertools import count

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import update

from channels.base import Outbound, Receiver
from channels.errors import ProviderRests
from communication.clock import now
from communication.events.told import CREATION
from communication.hubs.listener_model import HUB
from communication.hubs.registration import NewHub, register
from communication.hubs.status import hub_status
from communication.messages.queue_status import queue_status
from communication.model import DELIVERY
from communication.receipts.receipt import Receipt, ReceiptState
from communication.receipts.recording import record
from communication.settings import Settings
from communication.store import Store
from tests.events import SETTINGS, Remembering, sequencer
from tests.messages import email, rows, store_message
from worker.batch import BatchRunner
from worker.deliver import Deliverer
from worker.fan_out import FanOut

_NUMBERS = count(1)
LANE = {"channel": "email", "lane": "normal"}


class Provider:
    """A channel that awaits receipts, or rests."""

    provider = "counting://"
    concurrency = 2
    receipts = True

    def __init__(self, rest: float = 0.0, *, rests_when_asked: bool = False) -> None:
        self._rest = rest
        self._rests_when_asked = rests_when_asked

    def resting(self) -> float:
        return self._rest

    def address(self, receiver: Receiver) -> str:
        return str(receiver.email)

    def send(self, outbound: Outbound) -> str:
        if self._rests_when_asked:
            raise ProviderRests("it rests", retry_after=30)
        return outbound.delivery_id

    def close(self) -> None:
        """Nothing."""


@pytest.fixture
def tenants(store: Store) -> tuple[str, str]:
    """Two with names that nothing was counted for; the second has two receivers."""
    one, two = (f"tenant-{next(_NUMBERS)}" for _ in range(2))
    store_message(store, email(1), tenant=one)
    store_message(store, email(2), tenant=two)
    return one, two


def counted(name: str, tenant: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(f"{name}_total", {"tenant": tenant, **labels}) or 0.0


def receipt(reference: str, state: ReceiptState) -> Receipt:
    return Receipt(provider="counting://", reference=reference, state=state)


def run(store: Store, provider: Provider) -> None:
    """One batch of all that is due, of all tenants together."""
    with store.write() as connection:
        later = now() + timedelta(seconds=30)
        connection.execute(update(DELIVERY).values(lease="relay", due_at=later))
    settings = Settings()
    runner = BatchRunner(store, settings, Deliverer(provider, settings))
    runner.run([row.key for row in rows(store, DELIVERY)], "relay")
    runner.close()


def test_a_batch_of_several_tenants_is_counted_for_each(
    store: Store, tenants: tuple[str, str]
) -> None:
    run(store, Provider())
    name = "tidings_deliveries_delivered"
    sent = "tidings_deliveries_sent"
    totals = [counted(name, one, **LANE) + counted(sent, one, **LANE) for one in tenants]
    assert totals == [1, 2]


@pytest.mark.parametrize("provider", [Provider(rest=60), Provider(rests_when_asked=True)])
def test_what_is_put_off_is_counted_for_whose_it_is(
    store: Store, tenants: tuple[str, str], provider: Provider
) -> None:
    run(store, provider)
    assert [counted("tidings_deliveries_put_off", one) for one in tenants] == [1, 2]


def test_receipts_are_counted_for_whose_they_are(store: Store, tenants: tuple[str, str]) -> None:
    keys = [row.key for row in rows(store, DELIVERY)]
    with store.write() as connection:
        for key in keys:
            sent = {"state": "sent", "provider": "counting://", "reference": f"r{key}"}
            connection.execute(update(DELIVERY).where(DELIVERY.c.key == key).values(sent))
    delivered = [receipt(f"r{key}", ReceiptState.DELIVERED) for key in keys]

    record(store, [*delivered, *delivered, receipt(f"r{keys[0]}", ReceiptState.REJECTED)])

    for outcome, numbers in (("applied", [1, 2]), ("duplicate", [1, 2]), ("contradicting", [1, 0])):
        assert [counted("tidings_receipts", one, outcome=outcome) for one in tenants] == numbers
    assert [counted("tidings_deliveries_delivered", one, **LANE) for one in tenants] == [1, 2]


def test_a_stray_receipt_is_nobodys(store: Store) -> None:
    before = counted("tidings_receipts", "", outcome="early")
    record(store, [receipt("stray", ReceiptState.DELIVERED)])
    assert counted("tidings_receipts", "", outcome="early") == before + 1


def test_what_waits_is_told_by_whose_it_is(store: Store, tenants: tuple[str, str]) -> None:
    with store.read() as connection:
        status = queue_status(connection, now=now() + timedelta(seconds=60))
    waiting = {(one.tenant, one.channel, one.lane): one.waiting for one in status if one.waiting}
    assert waiting == {(tenants[0], "email", "normal"): 1, (tenants[1], "email", "normal"): 2}
    assert all(one.age > 50 for one in status if one.tenant)
    nobodys = {(one.channel, one.lane) for one in status if not one.tenant}
    assert len(nobodys) == len(status) - 2
    assert ("email", "normal") not in nobodys


def test_hubs_are_told_by_whose_they_are(store: Store) -> None:
    with store.write() as connection:
        for tenant, number in (("a", 1), ("b", 1), ("b", 2)):
            url = f"http://127.0.0.1/{number}"
            register(connection, tenant, NewHub(callback=url, query=None, api_version="v1"))
        connection.execute(update(HUB).where(HUB.c.tenant == "a").values(failing_since=now()))
        status = hub_status(connection, now=now())
    counts = {one.tenant: (one.counts["active"], one.counts["failing"]) for one in status}
    assert counts == {"a": (0, 1), "b": (2, 0)}


def test_events_are_counted_for_whose_they_are(store: Store, tenants: tuple[str, str]) -> None:
    sink = Remembering({tenants[1]: {CREATION}})
    sequencer(store, sink).step()
    FanOut(store, SETTINGS, [sink]).run()
    assert [counted("tidings_events_told", one) for one in tenants] == [0, 1]
