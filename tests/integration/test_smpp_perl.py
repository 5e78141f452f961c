"""The same channel against a second SMSC that was written elsewhere, which shows octets as sent."""

from collections.abc import Iterator

import pytest

from channels.base import Channel, Receipt, ReceiptState, Sender
from channels.testing import addressed
from communication.errors import TransientDeliveryError
from tests.foreign_smsc import PerlSmsc
from tests.smpp_channels import OnReceipt, Opened, failure, heard, opened, record
from tests.waiting import wait_until

__all__ = ["heard", "opened", "record"]


@pytest.fixture(scope="module")
def foreign() -> Iterator[PerlSmsc]:
    with PerlSmsc() as running:
        yield running


def test_the_octets_that_it_reads_are_gsm_7_one_to_an_octet(
    foreign: PerlSmsc, opened: Opened
) -> None:
    channel = opened(f"{foreign.url}?validity=1d&service_type=CMT")
    channel.send(addressed(channel, text="Å @ [€] Ω", sender=Sender(name="Tidings")))
    wait_until(lambda: bool(foreign.sent("submit_sm")))
    submit = foreign.sent("submit_sm")[-1]
    expected = {
        "short_message": "0e2000201b3c1b651b3e2015",
        "data_coding": 0,
        "esm_class": 0,
        "service_type": "CMT",
        "source_addr": "Tidings",
        "source_addr_ton": 5,
        "destination_addr": "46701234567",
        "dest_addr_ton": 1,
        "dest_addr_npi": 1,
        "registered_delivery": 1,
        "validity_period": "000001000000000R",
    }
    assert {name: submit[name] for name in expected} == expected
    bind = foreign.sent("bind_transceiver")[-1]
    assert (bind["system_id"], bind["interface_version"]) == ("tidings", 0x34)


def test_parts_carry_their_headers_and_a_payload_is_whole(
    foreign: PerlSmsc, opened: Opened
) -> None:
    text = "Заказ 😀 " * 20
    before = len(foreign.sent("submit_sm"))
    channel = opened(foreign.url)
    channel.send(addressed(channel, text=text))
    channel = opened(f"{foreign.url}?long=payload")
    channel.send(addressed(channel, text=text))

    wait_until(lambda: len(foreign.sent("submit_sm")) == before + 4)
    *parts, whole = foreign.sent("submit_sm")[before:]
    octets = [bytes.fromhex(one["short_message"]) for one in parts]
    assert [(one[:3].hex(), one[4:6].hex()) for one in octets] == [
        ("050003", "0301"),
        ("050003", "0302"),
        ("050003", "0303"),
    ]
    assert b"".join(one[6:] for one in octets).decode("utf-16-be") == text
    assert {one["esm_class"] for one in parts} == {0x40}
    assert whole["short_message"] == ""
    assert bytes.fromhex(whole["message_payload"]).decode("utf-16-be") == text


def test_its_receipts_are_heard_in_both_forms(
    foreign: PerlSmsc, opened: Opened, heard: list[Receipt], record: OnReceipt
) -> None:
    channel = opened(foreign.url, on_receipt=record)
    answered = len(foreign.sent("deliver_sm_resp"))
    by_text = channel.send(addressed(channel, text="hello"))
    by_parameters = channel.send(addressed(channel, text="parameters"))

    wait_until(lambda: len(heard) == 2)
    assert {one.reference: one.state for one in heard} == {
        by_text: ReceiptState.DELIVERED,
        by_parameters: ReceiptState.UNDELIVERABLE,
    }
    wait_until(lambda: len(foreign.sent("deliver_sm_resp")) == answered + 2)
    assert {one["status"] for one in foreign.sent("deliver_sm_resp")} == {0}


def test_it_is_asked_whether_it_is_there_and_told_the_end(
    foreign: PerlSmsc, opened: Opened
) -> None:
    channel = opened(f"{foreign.url}?enquire=0.2s")
    channel.send(addressed(channel))
    wait_until(lambda: len(foreign.sent("enquire_link")) > 1)
    ended = len(foreign.sent("unbind"))

    channel.close()

    wait_until(lambda: len(foreign.sent("unbind")) > ended)


def test_its_refusal_of_a_login_is_understood(foreign: PerlSmsc, opened: Opened) -> None:
    error = failure(opened(foreign.url.replace("secret", "wrong")))
    assert isinstance(error, TransientDeliveryError)
    assert "ESME_RINVPASWD" in error.reason


def test_it_may_die_and_come_back(foreign: PerlSmsc, opened: Opened) -> None:
    channel = opened(f"{foreign.url}?timeout=5s")
    assert channel.send(addressed(channel))
    foreign.kill()
    wait_until(lambda: "can't connect" in failure(channel).reason)
    foreign.start()

    wait_until(lambda: _sends(channel))


def _sends(channel: Channel) -> bool:
    try:
        return bool(channel.send(addressed(channel)))
    except TransientDeliveryError:
        return False
