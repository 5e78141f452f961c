"""The whole way of an SMS: accepted, sent through a foreign SMSC, ended by its receipts."""

from collections import Counter
from collections.abc import Iterator

import pytest

from tests.foreign_smsc import ForeignSmsc
from tests.running import Embedded, embedded, numbers, sms
from tests.waiting import wait_until

LONG = "En rad som är lång. " * 20


@pytest.fixture(scope="module")
def foreign() -> Iterator[ForeignSmsc]:
    with ForeignSmsc(repeat=2, hex=True) as running:
        yield running


@pytest.fixture(scope="module")
def up(foreign: ForeignSmsc) -> Iterator[Embedded]:
    with embedded(sms_url=f"{foreign.url}?ids=hex-decimal", retry_base=0.2) as running:
        yield running


def sent(up: Embedded, *to: str, content: str = "Hello") -> str:
    """The id of a message that waits for an SMSC which has only just started again."""
    return up.api.send(**sms(*to, content=content, tryTimes=100))


def ended(up: Embedded, message: str) -> Counter[tuple[str, str | None]]:
    up.api.ends(message)
    wait_until(lambda: up.api.status(message) != "InProgress")
    return Counter((one["state"], one.get("reason")) for one in up.api.deliveries(message))


@pytest.mark.parametrize("early", [False, True], ids=["after the answer", "before the answer"])
@pytest.mark.parametrize("content", ["Hej", LONG], ids=["one part", "three parts"])
def test_receipts_end_deliveries(
    up: Embedded, foreign: ForeignSmsc, *, early: bool, content: str
) -> None:
    foreign.behave(early=early)
    message = sent(up, *numbers(100), content=content)
    assert ended(up, message) == {("delivered", None): 100}
    assert up.api.message(message)["status"] == "Completed"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("undeliv", "undeliverable: UNDELIV"),
        ("expire", "expired: EXPIRED"),
        (f"reject {LONG}", "rejected: part 1 of 3: REJECTD"),
    ],
)
def test_what_did_not_arrive_has_failed(
    up: Embedded, foreign: ForeignSmsc, content: str, reason: str
) -> None:
    foreign.behave(early=False)
    message = sent(up, "+46701234567", content=content)
    assert ended(up, message) == {("failed", reason): 1}
    assert up.api.message(message)["status"] == "Failed"


def test_without_a_receipt_it_is_on_its_way(up: Embedded, foreign: ForeignSmsc) -> None:
    foreign.behave(receipts=False)
    message = sent(up, "+46701234567")
    wait_until(lambda: up.api.deliveries(message)[0]["state"] == "sent")
    assert up.api.status(message) == "InProgress"


def test_messages_wait_for_an_smsc_that_is_away(up: Embedded, foreign: ForeignSmsc) -> None:
    foreign.behave(receipts=True)
    foreign.kill()
    message = sent(up, *numbers(20))
    wait_until(lambda: any(one["attempts"] for one in up.api.deliveries(message)))
    foreign.start()
    assert ended(up, message) == {("delivered", None): 20}
