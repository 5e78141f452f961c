"""Times on the wire."""

from datetime import UTC, datetime

import pytest

from communication.clock import now, parse, to_wire

EIGHT = datetime(2026, 11, 21, 8, tzinfo=UTC)


def test_times_go_out_in_utc_with_milliseconds() -> None:
    assert to_wire(EIGHT) == "2026-11-21T08:00:00.000Z"
    assert now().tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-21T08:00:00Z",
        "2026-11-21 T08:00:00.0Z",
        "2026-11-21T09:00:00.000+01:00",
        " 2026-11-21T08:00Z ",
    ],
)
def test_times_with_a_zone_are_understood_and_so_is_the_seeds_stray_space(text: str) -> None:
    assert parse(text) == EIGHT


@pytest.mark.parametrize(
    "text", ["2026-11-21T08:00:00", "2026-11-21", "tomorrow", "", "0001-01-01T00:00:00+02:00"]
)
def test_times_without_a_zone_or_a_sense_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse(text)
