"""The same channel against an SMSC that was written elsewhere."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from channels.base import Receipt, ReceiptState, Sender
from channels.testing import addressed
from communication.errors import TransientDeliveryError
from tests.foreign_smsc import ForeignSmsc
from tests.smpp_channels import Opened, failure, heard, opened, record
from tests.waiting import wait_until

__all__ = ["heard", "opened", "record"]


@pytest.fixture(scope="module")
def foreign() -> Iterator[ForeignSmsc]:
    with ForeignSmsc(log=True) as running:
        yield running


def test_what_it_reads_is_what_was_sent(foreign: ForeignSmsc, opened: Opened) -> None:
    channel = opened(f"{foreign.url}?validity=1d&service_type=CMT&reference_tag=0x1401")
    channel.send(addressed(channel, text="Å @ [€] Ω", sender=Sender(name="Tidings")))
    wait_until(lambda: bool(foreign.sent("submit_sm")))
    submit = foreign.sent("submit_sm")[-1]
    expected = {
        "service_type": "CMT",
        "source_addr_ton": 5,
        "source_addr_npi": 0,
        "source_addr": "Tidings",
        "dest_addr_ton": 1,
        "dest_addr_npi": 1,
        "destination_addr": "46701234567",
        "registered_delivery": 1,
        "data_coding": 0,
        "esm_class": 0,
    }
    assert {name: submit[name] for name in expected} == expected
    assert submit["short_message"] == {"message": "Å @ [€] Ω"}
    bind = foreign.sent("bind_transceiver")[-1]
    assert (bind["system_id"], bind["interface_version"]) == ("tidings", 0x34)


def test_it_reads_other_alphabets_and_the_headers_of_parts(
    foreign: ForeignSmsc, opened: Opened
) -> None:
    channel = opened(foreign.url)
    before = len(foreign.sent("submit_sm"))
    reference = channel.send(addressed(channel, text="Заказ 😀 " * 20))
    assert len(reference.split()) == 3
    wait_until(lambda: len(foreign.sent("submit_sm")) == before + 3)
    parts = foreign.sent("submit_sm")[before:]
    assert "".join(one["short_message"]["message"] for one in parts) == "Заказ 😀 " * 20
    headers = [one["short_message"]["udh"][0]["data"] for one in parts]
    assert [one[-2:] for one in headers] == [[3, 1], [3, 2], [3, 3]]
    assert {one["data_coding"] for one in parts} == {8}


def test_its_receipts_are_heard_and_answered(
    foreign: ForeignSmsc, opened: Opened, heard: list[Receipt], record: object
) -> None:
    before = foreign.receipts_taken()
    channel = opened(foreign.url, on_receipt=record)
    fates = {
        "hello": ReceiptState.DELIVERED,
        "undeliv": ReceiptState.UNDELIVERABLE,
        "expire": ReceiptState.EXPIRED,
        "reject": ReceiptState.REJECTED,
    }
    sent = {
        channel.send(addressed(channel, text=f"{fate} {n}")): state
        for n, (fate, state) in enumerate(fates.items())
    }
    wait_until(lambda: len(heard) == 4)
    assert {one.reference: one.state for one in heard} == sent
    wait_until(lambda: foreign.receipts_taken() >= before + 4)


def test_its_refusals_are_understood(foreign: ForeignSmsc, opened: Opened) -> None:
    error = failure(opened(foreign.url), text="throttle")
    assert isinstance(error, TransientDeliveryError)
    assert "ESME_RTHROTTLED" in error.reason
    wrong = opened(foreign.url.replace("secret", "wrong"))
    assert "ESME_RINVPASWD" in failure(wrong).reason


def test_many_threads_share_a_session(
    foreign: ForeignSmsc, opened: Opened, heard: list[Receipt], record: object
) -> None:
    foreign.behave(latency=20, hex=True, log=False, enquire=50)
    channel = opened(f"{foreign.url}?ids=hex-decimal", on_receipt=record)
    messages = [addressed(channel, delivery_id=f"id-{number}") for number in range(500)]
    with ThreadPoolExecutor(channel.concurrency) as pool:
        references = list(pool.map(channel.send, messages))
    wait_until(lambda: len(heard) == 500)
    assert {one.reference for one in heard} == set(references)
    assert len(set(references)) == 500


def test_it_may_go_and_come_back(foreign: ForeignSmsc, opened: Opened) -> None:
    channel = opened(f"{foreign.url}?timeout=5s")
    assert channel.send(addressed(channel))
    foreign.kill()
    wait_until(lambda: "can't connect" in failure(channel).reason)
    foreign.start()

    def sends() -> bool:
        try:
            return bool(channel.send(addressed(channel)))
        except TransientDeliveryError:
            return False

    wait_until(sends)
