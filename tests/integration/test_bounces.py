"""Mails that come back, matched with their deliveries, on both databases."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, select

from channels.base import Outbound, Receiver
from communication.clock import now
from communication.events.event_model import EVENT, STAGED_EVENT
from communication.events.happening import Kind
from communication.events.telling import Teller
from communication.events.told import DELIVERY as DELIVERY_TYPE
from communication.mail import suppression
from communication.mail.bounces import PROVIDER, Bounces, Finding
from communication.mail.suppression_model import SUPPRESSION
from communication.model import ATTEMPT, DELIVERY, State
from communication.privacy.erasing import erase
from communication.settings import Settings
from communication.store import Store
from tests.bounces import ADDRESS, report
from tests.events import end_deliveries, sequencer
from tests.messages import claimed, email, rows, states, store_message
from worker.batch import BatchRunner
from worker.deliver import SUPPRESSION as NOT_ASKED
from worker.deliver import Deliverer


def sent(store: Store, receivers: int = 1, **attributes: Any) -> str:
    """Store an email that was delivered; the public id of its first delivery."""
    head = store_message(store, email(receivers, **attributes))
    end_deliveries(store)
    return f"{head.uid}-1-0"


def bounces(store: Store, *, suppressing: bool = True) -> Bounces:
    return Bounces(store, ADDRESS, suppressing=suppressing)


def to(delivery: str) -> str:
    return str(ADDRESS.of(delivery))


def suppressed(store: Store) -> list[str]:
    return [row.address for row in rows(store, SUPPRESSION)]


def told(store: Store, kind: Kind) -> list[Any]:
    return [row for row in rows(store, STAGED_EVENT) if row.kind == kind]


def test_a_hard_bounce_is_recorded_and_told_and_its_address_is_kept(store: Store) -> None:
    delivery = sent(store, receiver=[{"email": "Ann@Example.COM"}])

    assert bounces(store).take(report(to=to(delivery))) is Finding.RECORDED

    assert states(store) == [State.DELIVERED]
    attempt = rows(store, ATTEMPT)[-1]
    assert (attempt.provider, attempt.outcome) == (PROVIDER, "undeliverable")
    assert attempt.reason == "550 5.1.1 so it is"
    (event,) = told(store, Kind.CONTRADICTED)
    assert event.changed == {"state": "undeliverable", "reason": "550 5.1.1 so it is"}
    (kept,) = rows(store, SUPPRESSION)
    assert (kept.tenant, kept.address, kept.origin) == ("default", "ann@example.com", delivery)


def test_whoever_hears_of_deliveries_hears_of_the_bounce(store: Store) -> None:
    delivery = sent(store)
    bounces(store).take(report(to=to(delivery)))

    sequencer(store).step()
    with store.read() as connection:
        events = connection.execute(select(EVENT).order_by(EVENT.c.position)).all()
        last = Teller(public_url="https://t.example", receivers=100).tell(connection, events)[-1]

    assert last.type == DELIVERY_TYPE
    assert last.body["delivery"]["state"] == "delivered"
    assert last.body["contradiction"]["state"] == "undeliverable"


def test_the_same_report_twice_and_from_many_at_once_counts_once(store: Store) -> None:
    delivery = sent(store)

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(bounces(store).take, [report(to=to(delivery))] * 8))

    assert set(found) == {Finding.RECORDED}
    assert len(told(store, Kind.CONTRADICTED)) == 1
    assert [row.outcome for row in rows(store, ATTEMPT)].count("undeliverable") == 1
    assert suppressed(store) == ["receiver-0@example.com"]


@pytest.mark.parametrize("status", ["4.4.1", "5.2.2", "5.7.1"])
def test_a_soft_bounce_is_recorded_but_keeps_no_address(store: Store, status: str) -> None:
    delivery = sent(store)

    assert bounces(store).take(report(to=to(delivery), status=status)) is Finding.RECORDED

    assert rows(store, ATTEMPT)[-1].outcome == "undeliverable"
    assert suppressed(store) == []


def test_a_delay_is_one_more_attempt_and_no_event(store: Store) -> None:
    delivery = sent(store)
    delay = report(to=to(delivery), action="delayed", status="4.4.1")

    assert bounces(store).take(delay) is Finding.RECORDED
    assert bounces(store).take(delay) is Finding.RECORDED

    assert [row.outcome for row in rows(store, ATTEMPT)].count("delayed") == 1
    assert told(store, Kind.CONTRADICTED) == []


def test_without_a_contact_log_the_bounce_is_told_all_the_same(store: Store) -> None:
    delivery = sent(store, logFlag=False)
    before = len(rows(store, ATTEMPT))

    bounces(store).take(report(to=to(delivery)))
    bounces(store).take(report(to=to(delivery), action="delayed", status="4.4.1"))

    assert len(rows(store, ATTEMPT)) == before
    assert len(told(store, Kind.CONTRADICTED)) == 1


def test_a_bounce_before_its_delivery_is_recorded_is_to_come_again(store: Store) -> None:
    head = store_message(store, email())
    mail = report(to=to(f"{head.uid}-1-0"))

    assert bounces(store).take(mail) is Finding.TOO_EARLY
    end_deliveries(store)
    assert bounces(store).take(mail) is Finding.RECORDED


def test_nobody_can_forge_a_bounce_of_somebody_elses_mail(store: Store) -> None:
    own = sent(store, 2)
    other = own[:-1] + "1"
    forged = to(own).replace("-1-0-", "-1-1-")
    stranger = replace(ADDRESS, secrets=["some other secret"])

    for mail in (
        report(to=forged, recipient="receiver-1@example.com"),
        report(to=str(stranger.of(other)), recipient="receiver-1@example.com"),
        report(message_id=f"<{other}@example.com>", recipient="receiver-0@example.com"),
    ):
        assert bounces(store).take(mail) is Finding.UNKNOWN
    assert suppressed(store) == []
    assert told(store, Kind.CONTRADICTED) == []


def test_by_message_id_a_bounce_is_recorded_but_proves_nothing(store: Store) -> None:
    delivery = sent(store)
    mail = report(message_id=f"<{delivery}@example.com>", recipient="Receiver-0@example.com")

    assert bounces(store).take(mail) is Finding.RECORDED

    assert len(told(store, Kind.CONTRADICTED)) == 1
    assert suppressed(store) == []


def test_without_an_address_of_their_own_the_message_id_has_to_do(store: Store) -> None:
    delivery = sent(store)
    mail = report(message_id=f"<{delivery}@example.com>")

    assert Bounces(store, None, suppressing=True).take(mail) is Finding.RECORDED

    assert suppressed(store) == ["receiver-0@example.com"]


def test_what_is_erased_does_not_come_back_with_a_bounce(store: Store) -> None:
    delivery = sent(store)
    with store.write() as connection:
        erase(connection, "receiver-0@example.com")

    for mail in (report(to=to(delivery)), report(message_id=f"<{delivery}@example.com>")):
        assert bounces(store).take(mail) is Finding.UNKNOWN
    assert suppressed(store) == []


@pytest.mark.parametrize(
    ("mail", "finding"),
    [
        (b"Subject: I am on holiday\n\nUntil Monday.\n", Finding.NO_REPORT),
        (report(action="delivered"), Finding.GOOD_NEWS),
        (report(), Finding.UNKNOWN),
        (report(message_id=f"<{'0' * 8}-0000-0000-0000-{'0' * 12}-1-0@x>"), Finding.UNKNOWN),
        (report(to=to(f"{'0' * 8}-0000-0000-0000-{'0' * 12}-1-0")), Finding.UNKNOWN),
    ],
    ids=range(5),
)
def test_what_is_no_bounce_of_ours_changes_nothing(
    store: Store, mail: bytes, finding: Finding
) -> None:
    sent(store)

    assert bounces(store).take(mail) is finding

    assert told(store, Kind.CONTRADICTED) == []


def test_the_envelope_names_the_delivery_as_well(store: Store) -> None:
    delivery = sent(store)

    assert bounces(store).take(report(), [to(delivery).upper()]) is Finding.RECORDED


def test_no_address_is_kept_where_that_is_switched_off(store: Store) -> None:
    delivery = sent(store)

    bounces(store, suppressing=False).take(report(to=to(delivery)))

    assert suppressed(store) == []


class Counting:
    """A channel that takes everything."""

    provider = "counting://"
    concurrency = 2

    def __init__(self) -> None:
        self.sent: list[str] = []

    def address(self, receiver: Receiver) -> str:
        return str(receiver.email)

    def send(self, outbound: Outbound) -> str:
        self.sent.append(outbound.address)
        return "taken"

    def close(self) -> None:
        pass


@pytest.mark.parametrize("suppressing", [True, False])
def test_a_kept_address_is_not_written_to(store: Store, *, suppressing: bool) -> None:
    addresses = ["ANN@example.com", "ann@EXAMPLE.com", "bo@räksmörgås.se", "cid@example.com"]
    with store.write() as connection:
        for tenant, address in (
            ("default", "Ann@example.com"),
            ("default", "bo@xn--rksmrgs-5wao1o.se"),
            ("another", "cid@example.com"),
        ):
            assert keep(connection, tenant, address)
            assert not keep(connection, tenant, address)
    store_message(store, email(receiver=[{"email": address} for address in addresses]))
    channel = Counting()

    run(store, channel, Settings(suppression=suppressing))

    if not suppressing:
        assert sorted(channel.sent) == sorted(addresses)
        return
    assert channel.sent == ["cid@example.com"]
    assert states(store) == [*[State.FAILED] * 3, State.DELIVERED]
    assert rows(store, DELIVERY)[0].reason == suppression.REASON
    assert sorted(row.provider for row in rows(store, ATTEMPT)) == ["counting://", *[NOT_ASKED] * 3]


def keep(connection: Connection, tenant: str, address: str) -> bool:
    return suppression.add(
        connection, tenant=tenant, address=address, reason="r", origin=None, now=now()
    )


def run(store: Store, channel: Counting, settings: Settings) -> None:
    runner = BatchRunner(store, settings, Deliverer(channel, settings))
    runner.run(claimed(store, timedelta(days=1)), "relay")
    runner.close()
