"""Reasons in the feed: a dozen words of ours, whatever a provider said."""

import pytest

from communication.events.order_reason import ending, order_reason
from communication.model import State


@pytest.mark.parametrize(
    ("recorded", "words"),
    [
        ("the worker vanished 3 times while sending it", "internal error"),
        ("unexpected KeyError", "internal error"),
        ("the receiver has no email address", "no address"),
        ("attachment 'a.pdf': no such file", "attachment not usable"),
        ("timed out: DATA", "timed out"),
        ("550 5.1.1 <ann@example.com>: Recipient address rejected", "address refused"),
        ("451 4.3.0 try later, ann", "provider not available"),
        ("554 5.7.1 spam from Ann Smith", "refused by the provider"),
        ("Ann Smith, +46 70 123 45 67", "delivery failed"),
        ("", "delivery failed"),
        (None, "delivery failed"),
    ],
)
def test_a_reason_is_one_of_ours(recorded: str | None, words: str) -> None:
    assert order_reason(recorded) == words


def test_success_needs_no_words() -> None:
    assert ending(State.DELIVERED) is None
    assert ending(State.CANCELLED) == {"message": "cancelled"}
    assert ending(State.FAILED) == {"message": "delivery failed"}
