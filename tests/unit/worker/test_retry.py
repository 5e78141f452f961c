"""When a failed try is tried again."""

from datetime import UTC, datetime, timedelta

import pytest

from communication.errors import (
    DeliveryError,
    PermanentDeliveryError,
    TransientDeliveryError,
)
from communication.settings import Settings
from worker.retry import next_try

NOW = datetime(2026, 11, 21, 8, tzinfo=UTC)
SETTINGS = Settings(retry_base=5, retry_cap=60)


def wait_after(
    error: DeliveryError, *, attempts: int = 1, try_times: int = 100, jitter: float = 1.0
) -> timedelta | None:
    due_at = next_try(
        error,
        attempts=attempts,
        try_times=try_times,
        settings=SETTINGS,
        now=NOW,
        jitter=lambda: jitter,
    )
    return None if due_at is None else due_at - NOW


def test_a_permanent_failure_is_never_tried_again() -> None:
    assert wait_after(PermanentDeliveryError("550 no such user")) is None


def test_try_times_counts_the_tries_after_the_first() -> None:
    busy = TransientDeliveryError("451 busy")

    assert wait_after(busy, attempts=1, try_times=0) is None
    assert wait_after(busy, attempts=2, try_times=2) is not None
    assert wait_after(busy, attempts=3, try_times=2) is None


@pytest.mark.parametrize(("attempts", "seconds"), [(1, 5), (2, 10), (3, 20), (4, 40), (99, 60)])
def test_the_wait_doubles_up_to_the_cap(attempts: int, seconds: int) -> None:
    assert wait_after(TransientDeliveryError("busy"), attempts=attempts) == timedelta(
        seconds=seconds
    )


def test_jitter_spreads_the_wait_from_nothing_to_the_whole() -> None:
    busy = TransientDeliveryError("busy")

    assert wait_after(busy, jitter=0.0) == timedelta(0)
    assert wait_after(busy, jitter=0.5) == timedelta(seconds=2.5)


def test_retry_after_is_a_lower_bound_and_is_clamped() -> None:
    assert wait_after(TransientDeliveryError("429", retry_after=30)) == timedelta(seconds=30)
    assert wait_after(TransientDeliveryError("429", retry_after=1)) == timedelta(seconds=5)
    assert wait_after(TransientDeliveryError("429", retry_after=9e9)) == timedelta(seconds=60)
