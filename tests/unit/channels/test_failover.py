from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from channels.base import Outbound, Receiver
from channels.errors import OutcomeUnknown
from channels.health.failover import Failover
from channels.testing import RECEIVER, outbound
from communication.errors import DeliveryError, PermanentDeliveryError, TransientDeliveryError


class Scripted:
    """Answers by its name, or raises what it was given for that delivery."""

    def __init__(self, provider: str, concurrency: int = 4, **failures: DeliveryError) -> None:
        self.provider = provider
        self.concurrency = concurrency
        self.failures = failures
        self.sent: list[str] = []
        self.closed = False

    def address(self, receiver: Receiver) -> str:
        return str(receiver.email)

    def send(self, outbound: Outbound) -> str:
        self.sent.append(outbound.delivery_id)
        if outbound.delivery_id in self.failures:
            raise self.failures[outbound.delivery_id]
        return self.provider

    def close(self) -> None:
        self.closed = True


def test_the_fallback_takes_what_the_primary_fails_to() -> None:
    failover = Failover(
        [Scripted("one", a=TransientDeliveryError("busy")), second := Scripted("two")]
    )
    assert failover.send(outbound(delivery_id="a")) == "two"
    assert failover.provider == "two"
    assert failover.send(outbound(delivery_id="b")) == "one"
    assert failover.provider == "one"
    assert second.sent == ["a"]


@pytest.mark.parametrize(
    "error", [PermanentDeliveryError("no such user"), OutcomeUnknown("no answer")], ids=repr
)
def test_neither_a_refusal_nor_a_possible_duplicate_goes_to_the_fallback(
    error: DeliveryError,
) -> None:
    failover = Failover([Scripted("one", a=error), second := Scripted("two")])
    with pytest.raises(type(error)):
        failover.send(outbound(delivery_id="a"))
    assert failover.provider == "one"
    assert second.sent == []


def test_when_all_fail_the_last_one_tells_why() -> None:
    failover = Failover(
        [
            Scripted("one", a=TransientDeliveryError("first")),
            Scripted("two", a=TransientDeliveryError("second", retry_after=7)),
        ]
    )
    with pytest.raises(TransientDeliveryError, match="second") as caught:
        failover.send(outbound(delivery_id="a"))
    assert caught.value.retry_after == 7
    assert failover.provider == "two"


def test_each_thread_learns_the_provider_of_its_own_send() -> None:
    failover = Failover([Scripted("one", a=TransientDeliveryError("busy")), Scripted("two")])
    both_sent = Barrier(2, timeout=120)

    def provider_of(delivery_id: str) -> str:
        failover.send(outbound(delivery_id=delivery_id))
        both_sent.wait()
        return failover.provider

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(provider_of, ["a", "b"])) == ["two", "one"]


def test_a_new_message_begins_with_the_primary_again() -> None:
    failover = Failover([Scripted("one", a=TransientDeliveryError("busy")), Scripted("two")])
    failover.send(outbound(delivery_id="a"))
    failover.address(RECEIVER)
    assert failover.provider == "one"


def test_it_is_as_wide_as_its_narrowest_and_closes_all() -> None:
    both = [Scripted("one", concurrency=8), Scripted("two", concurrency=2)]
    failover = Failover(both)
    assert failover.concurrency == 2
    failover.close()
    assert all(channel.closed for channel in both)
