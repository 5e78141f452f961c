"""What providers say, made fit to be kept."""

import pytest

from communication.recordable import LONGEST, recordable


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("550 5.1.1 No such user", "550 5.1.1 No such user"),
        ("451 \x00 busy", "451 \N{REPLACEMENT CHARACTER} busy"),
        ("\udcff", "?"),
        ("x" * (LONGEST + 1), "x" * LONGEST + "…"),
    ],
)
def test_whatever_a_provider_says_can_be_recorded(said: str, kept: str) -> None:
    assert recordable(said) == kept
