"""What an SMSC tells of messages, and how it is answered."""

from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from structlog.testing import capture_logs

from channels.base import Receipt, ReceiptState, awaits_receipt, drop_receipt
from channels.smpp.pdu import Command, Pdu
from channels.testing import addressed
from communication.errors import ServiceUnavailable
from tests.scripted_smsc import Peer, Smsc, deliver_body, receipt_text
from tests.smpp_channels import Opened, opened, smsc, url
from tests.waiting import wait_until

__all__ = ["opened", "smsc"]

_T_APPN, _R_APPN = 0x64, 0x66


@dataclass
class Listener:
    """Keeps receipts, and says when they are committed."""

    receipts: list[Receipt] = field(default_factory=list)
    commits: list["Future[None]"] = field(default_factory=list)

    def __call__(self, receipt: Receipt) -> "Future[None]":
        self.receipts.append(receipt)
        self.commits.append(Future())
        return self.commits[-1]


@pytest.fixture
def listener() -> Listener:
    return Listener()


def bound(smsc: Smsc, opened: Opened, listener: Listener, query: str = "") -> Smsc:
    assert awaits_receipt(opened(url(smsc, query), on_receipt=listener))
    wait_until(lambda: bool(smsc.peers))
    return smsc


def told(smsc: Smsc, listener: Listener, body: bytes) -> Receipt:
    before = len(listener.receipts)
    smsc.peers[-1].ask(Command.DELIVER_SM, body)
    wait_until(lambda: len(listener.receipts) > before)
    return listener.receipts[-1]


def answer_to(smsc: Smsc, sequence: int) -> Pdu:
    return wait_until(lambda: smsc.answer_to(sequence))  # type: ignore[return-value]  # never None


def test_a_receipt_is_answered_when_it_is_recorded(
    smsc: Smsc, opened: Opened, listener: Listener
) -> None:
    bound(smsc, opened, listener)
    sequence = smsc.receipt("00000001")
    wait_until(lambda: bool(listener.commits))
    name = f"smpp://127.0.0.1:{smsc.port}"
    assert listener.receipts == [
        Receipt(provider=name, reference="00000001", state=ReceiptState.DELIVERED)
    ]
    assert smsc.answer_to(sequence) is None
    listener.commits[0].set_result(None)
    assert answer_to(smsc, sequence) == Pdu(Command.DELIVER_SM.response, sequence, body=b"\0")


def test_one_that_cannot_be_recorded_is_to_be_told_again(
    smsc: Smsc, opened: Opened, listener: Listener
) -> None:
    bound(smsc, opened, listener)
    sequence = smsc.receipt("00000001")
    wait_until(lambda: bool(listener.commits))
    listener.commits[0].set_exception(ServiceUnavailable("the database is away"))
    assert answer_to(smsc, sequence).status == _T_APPN


def test_so_is_one_whose_recorder_fails_at_once(smsc: Smsc, opened: Opened) -> None:
    def fail(_receipt: Receipt) -> "Future[None]":
        raise RuntimeError("closed")

    channel = opened(url(smsc), on_receipt=fail)
    wait_until(lambda: bool(smsc.peers))
    assert answer_to(smsc, smsc.receipt("00000001")).status == _T_APPN
    assert channel.send(addressed(channel))
    assert smsc.connections == 1


def test_receipts_do_not_wait_for_each_other(
    smsc: Smsc, opened: Opened, listener: Listener
) -> None:
    bound(smsc, opened, listener)
    sequences = [smsc.receipt(f"{number:08d}") for number in range(50)]
    wait_until(lambda: len(listener.commits) == 50)
    for committed in reversed(listener.commits):
        committed.set_result(None)
    wait_until(lambda: len(smsc.answers) == 50)
    assert {one.sequence for one in smsc.answers} == set(sequences)


@pytest.mark.parametrize(
    ("stat", "err", "state", "reason"),
    [
        ("DELIVRD", "000", ReceiptState.DELIVERED, None),
        ("EXPIRED", "000", ReceiptState.EXPIRED, "EXPIRED"),
        ("UNDELIV", "034", ReceiptState.UNDELIVERABLE, "UNDELIV, error 34"),
        ("REJECTD", "0x1F", ReceiptState.REJECTED, "REJECTD, error x1F"),
        ("DELETED", "", ReceiptState.DELETED, "DELETED"),
        ("ACCEPTD", "000", ReceiptState.ACCEPTED, "ACCEPTD"),
        ("UNKNOWN", "000", ReceiptState.UNKNOWN, "UNKNOWN"),
        ("undeliv", "000", ReceiptState.UNDELIVERABLE, "UNDELIV"),
        ("MYSTERY", "000", ReceiptState.UNKNOWN, "MYSTERY"),
    ],
)
def test_the_states_of_appendix_b_are_understood(
    smsc: Smsc,
    opened: Opened,
    listener: Listener,
    stat: str,
    err: str,
    state: ReceiptState,
    reason: str | None,
) -> None:
    bound(smsc, opened, listener)
    receipt = told(smsc, listener, deliver_body(receipt_text("7", stat, err)))
    assert (receipt.reference, receipt.state, receipt.reason) == ("7", state, reason)


def test_parameters_count_more_than_the_text(
    smsc: Smsc, opened: Opened, listener: Listener
) -> None:
    bound(smsc, opened, listener)
    tlvs = {0x001E: b"A7\0", 0x0427: b"\x05", 0x0423: b"\x03\x00\x22"}
    receipt = told(smsc, listener, deliver_body(receipt_text("167"), tlvs=tlvs))
    assert receipt.reference == "A7"
    assert receipt.state is ReceiptState.UNDELIVERABLE
    assert receipt.reason == "UNDELIV, error 34"
    alone = told(smsc, listener, deliver_body(b"", esm_class=0, tlvs=tlvs))
    assert alone == receipt


def test_an_intermediate_notification_ends_nothing(
    smsc: Smsc, opened: Opened, listener: Listener
) -> None:
    bound(smsc, opened, listener)
    body = deliver_body(receipt_text("7", "UNDELIV"), esm_class=0x20)
    assert told(smsc, listener, body).state is ReceiptState.ACCEPTED


def test_a_receipt_may_come_by_data_sm_or_in_ucs_2(
    smsc: Smsc, opened: Opened, listener: Listener
) -> None:
    bound(smsc, opened, listener)
    text = receipt_text("7").decode().encode("utf-16-be")
    assert told(smsc, listener, deliver_body(text, coding=8)).reference == "7"
    addresses = b"\0\x01\x0146701234567\0\x03\x0072100\0"
    data = addresses + b"\x04\x00\x00" + b"\x00\x1e\x00\x028\x00" + b"\x04\x27\x00\x01\x02"
    sequence = smsc.peers[-1].ask(Command.DATA_SM, data)
    wait_until(lambda: len(listener.receipts) == 2)
    assert listener.receipts[1].reference == "8"
    listener.commits[1].set_result(None)
    assert answer_to(smsc, sequence).command == Command.DATA_SM.response


@pytest.mark.parametrize(
    ("ids", "answered", "in_text", "reference"),
    [
        ("same", "0001A2", "0001A2", "0001A2"),
        ("hex-decimal", "000001A2", "0000000418", "418"),
        ("decimal-hex", "0000000418", "1a2", "418"),
        ("hex-decimal", "not hex", "not hex", "not hex"),
    ],
)
def test_ids_that_are_written_differently_are_the_same_reference(
    smsc: Smsc,
    opened: Opened,
    listener: Listener,
    ids: str,
    answered: str,
    in_text: str,
    reference: str,
) -> None:
    smsc.ids = lambda _number: answered
    channel = opened(url(smsc, f"?ids={ids}"), on_receipt=listener)
    assert channel.send(addressed(channel)) == reference
    if " " in in_text:
        return
    assert told(smsc, listener, deliver_body(receipt_text(in_text))).reference == reference
    tlvs = {0x001E: answered.encode() + b"\0"}
    assert told(smsc, listener, deliver_body(b"stat:DELIVRD", tlvs=tlvs)).reference == reference


def test_the_time_is_known_where_the_zone_is(
    smsc: Smsc, opened: Opened, listener: Listener
) -> None:
    bound(smsc, opened, listener, "?zone=Europe/Stockholm")
    receipt = told(smsc, listener, deliver_body(receipt_text("7")))
    assert receipt.at == datetime(2026, 11, 21, 11, 1, tzinfo=UTC)


def test_what_a_phone_wrote_is_ignored_even_if_it_looks_like_a_receipt(
    smsc: Smsc, opened: Opened, listener: Listener
) -> None:
    bound(smsc, opened, listener)
    with capture_logs() as logs:
        body = deliver_body(receipt_text("00000001"), esm_class=0)
        sequence = smsc.peers[-1].ask(Command.DELIVER_SM, body)
        assert answer_to(smsc, sequence).status == 0
    assert not listener.receipts
    (line,) = [one for one in logs if "ignored" in one["event"]]
    assert "4670" not in str(line)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        deliver_body(receipt_text("1"))[:-1],
        deliver_body(b"Your parcel is here"),
        deliver_body(b"stat:DELIVRD"),
        deliver_body(b"id:7 text:id:8 stat:DELIVRD"),
        deliver_body(receipt_text("1")) + b"\x00\x1e\xff\xff",
        b"\xff" * 300,
    ],
    ids=range(7),
)
def test_one_that_cannot_be_read_is_rejected_and_the_session_goes_on(
    smsc: Smsc, opened: Opened, listener: Listener, body: bytes
) -> None:
    bound(smsc, opened, listener)
    sequence = smsc.peers[-1].ask(Command.DELIVER_SM, body)
    assert answer_to(smsc, sequence).status == _R_APPN
    assert told(smsc, listener, deliver_body(receipt_text("1"))).reference == "1"
    assert smsc.connections == 1


def test_a_receipt_may_come_before_the_answer_to_its_submit(
    smsc: Smsc, opened: Opened, listener: Listener
) -> None:
    def receipt_first(peer: Peer, pdu: Pdu) -> None:
        smsc.receipt("00000001")
        wait_until(lambda: bool(listener.receipts))
        smsc.accept(peer, pdu)

    smsc.on_submit = receipt_first
    channel = opened(url(smsc), on_receipt=listener)
    assert channel.send(addressed(channel)) == listener.receipts[0].reference


def test_where_nobody_records_them_none_are_taken(smsc: Smsc, opened: Opened) -> None:
    channel = opened(url(smsc), on_receipt=drop_receipt)
    channel.send(addressed(channel))
    assert not awaits_receipt(channel)
    assert smsc.binds[0][0] is Command.BIND_TRANSMITTER
    assert smsc.submits[0].registered_delivery == 0
