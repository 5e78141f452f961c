from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from communication.mail.bounce_address import BounceAddress, DeliveryName, delivery_name
from communication.wire.mailbox import mailbox

DELIVERY = "0192f0c1-7a5e-7b44-9d10-3c4d5e6f7a8b-1-0"
OURS = BounceAddress(base=mailbox("bounce@example.org"), secrets=["a secret of ours"])


@given(st.uuids(), st.integers(1, 999), st.integers(0, 1_000_000))
def test_what_an_address_is_made_of_is_found_in_it(uid: UUID, send: int, ordinal: int) -> None:
    name = DeliveryName(str(uid), send, ordinal)
    address = OURS.of(name.public_id)
    assert str(mailbox(str(address))) == str(address)
    assert len(address.local) <= 64
    assert OURS.deliveries_in(f"To: <{address}>, x@y") == [name]


def test_capitals_and_small_letters_are_the_same() -> None:
    address = str(OURS.of(DELIVERY))
    assert address == address.lower()
    assert OURS.deliveries_in(address.upper()) == [delivery_name(DELIVERY)]


def test_another_deliverys_address_can_not_be_made_from_ones_own() -> None:
    own = str(OURS.of(DELIVERY))
    for forged in (
        own.replace("-1-0-", "-1-1-"),
        own.replace("-1-0-", "-2-0-"),
        own[:-20] + "a" + own[-19:],
        str(replace(OURS, secrets=["another secret"]).of(DELIVERY)),
        "bounce+@example.org",
        f"bounce+{'z' * 25}-1-1-{'a' * 10}@example.org",
    ):
        assert OURS.deliveries_in(forged) == [], forged


def test_an_older_secret_is_still_believed() -> None:
    newer = replace(OURS, secrets=["a newer secret!!", *OURS.secrets])
    assert newer.deliveries_in(str(OURS.of(DELIVERY))) == [delivery_name(DELIVERY)]
    assert OURS.deliveries_in(str(newer.of(DELIVERY))) == []


@pytest.mark.parametrize("odd", ["", "a-1-0", "../x", "å"])
def test_what_has_no_deliverys_id_comes_back_to_the_bare_address(odd: str) -> None:
    assert str(OURS.of(odd)) == "bounce@example.org"


@given(st.text())
def test_no_text_is_taken_for_a_proof(text: str) -> None:
    assert OURS.deliveries_in(text) == []
    assert OURS.deliveries_in(f"bounce+{text}@example.org") == []
