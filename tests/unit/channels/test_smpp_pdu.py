"""PDUs, and what hostile octets do to them."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.base import Receipt
from channels.smpp.message import relative_time
from channels.smpp.pdu import HEADER, Inbox, MalformedPdu, Pdu, parse_delivered
from channels.smpp.receipt import Ids, is_receipt, parse_receipt
from tests.scripted_smsc import deliver_body, receipt_text

PDUS = st.lists(
    st.builds(
        Pdu,
        st.integers(0, 0xFFFF_FFFF),
        st.integers(0, 0xFFFF_FFFF),
        st.integers(0, 0xFFFF_FFFF),
        st.binary(max_size=80),
    ),
    max_size=8,
)


@given(PDUS, st.lists(st.integers(1, 50)))
def test_pdus_are_found_however_their_octets_are_cut(pdus: list[Pdu], cuts: list[int]) -> None:
    octets, inbox, found = b"".join(pdu.encode() for pdu in pdus), Inbox(), []
    for size in [*cuts, len(octets)]:
        found += inbox.feed(octets[:size])
        octets = octets[size:]
    assert found == pdus


@pytest.mark.parametrize("length", [0, 15, 0x1_0401, 0xFFFF_FFFF])
def test_a_length_that_no_pdu_has_is_noticed_before_its_octets_come(length: int) -> None:
    with pytest.raises(MalformedPdu):
        Inbox().feed(HEADER.pack(length, 5, 0, 1))


@given(st.binary(max_size=300), st.sampled_from([0x05, 0x103]))
def test_any_octets_are_a_delivery_or_malformed(octets: bytes, command: int) -> None:
    with suppress(MalformedPdu):
        delivered = parse_delivered(Pdu(command, 1, body=octets))
        is_receipt(delivered)
        parse_receipt(delivered, "smpp://x", Ids.HEX_DECIMAL, None)


@given(st.binary(max_size=120), st.sampled_from([0, 8, 0xF0]), st.sampled_from(list(Ids)))
def test_any_text_is_a_receipt_or_malformed(text: bytes, coding: int, ids: Ids) -> None:
    body = deliver_body(receipt_text("1")[:40] + text, coding=coding)
    with suppress(MalformedPdu):
        delivered = parse_delivered(Pdu(0x05, 1, body=body))
        assert isinstance(parse_receipt(delivered, "smpp://x", ids, None), Receipt)


def test_a_delivery_cut_off_anywhere_is_malformed() -> None:
    body = deliver_body(receipt_text("1"), tlvs={0x1E: b"1\0"})
    whole = len(deliver_body(receipt_text("1")))
    for size in set(range(len(body))) - {whole}:
        with pytest.raises(MalformedPdu):
            parse_delivered(Pdu(0x05, 1, body=body[:size]))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, b""),
        (1, b"000000000001000R"),
        (90_061, b"000001010101000R"),
        (30 * 86_400, b"000030000000000R"),
    ],
)
def test_periods_are_written_in_days_hours_minutes_and_seconds(
    seconds: float | None, text: bytes
) -> None:
    assert relative_time(seconds) == text
