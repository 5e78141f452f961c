"""What is told, to whom."""

from communication.events.happening import Kind
from communication.events.telling import TYPES

OTHERS = {Kind.HEARD, Kind.COLLECTED}
"""Their contracts name them."""


def test_every_kind_of_ours_has_a_name_for_those_who_are_told() -> None:
    assert TYPES.keys() == set(Kind) - OTHERS
