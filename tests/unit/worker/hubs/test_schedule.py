from datetime import UTC, datetime, timedelta

import pytest

from worker.hubs.schedule import LONGEST_REST, Schedule

NOW = datetime(2026, 11, 21, 8, tzinfo=UTC)
SCHEDULE = Schedule(waits=(5, 30, 120, 86_400), cap=3600)


def wait(attempts: int, retry_after: float = 0, jitter: float = 0) -> float | None:
    again = SCHEDULE.next_try(attempts, retry_after, now=NOW, jitter=jitter)
    return (again - NOW).total_seconds() if again else None


def rest(failing_for: float, retry_after: float = 0, jitter: float = 0) -> float:
    since = NOW - timedelta(seconds=failing_for)
    return (SCHEDULE.rest(since, retry_after, now=NOW, jitter=jitter) - NOW).total_seconds()


def test_tries_follow_the_schedule_and_end_with_it() -> None:
    assert [wait(attempts) for attempts in range(1, 6)] == [5, 30, 120, 86_400, None]


def test_jitter_makes_a_wait_a_fifth_longer_at_most() -> None:
    assert (wait(2, jitter=0), wait(2, jitter=0.5), wait(2, jitter=1)) == (30, 33, 36)


@pytest.mark.parametrize(("asked", "given"), [(0, 5), (3, 5), (60, 60), (10**9, 3600)])
def test_retry_after_is_a_lower_bound_within_reason(asked: float, given: float) -> None:
    assert wait(1, asked) == given
    assert rest(0, asked) == given


def test_without_a_schedule_nothing_is_tried_again() -> None:
    schedule = Schedule(waits=(), cap=3600)
    assert schedule.next_try(1, 60, now=NOW, jitter=0) is None
    assert schedule.rest(NOW, 0, now=NOW, jitter=0) == NOW


def test_a_hub_rests_the_longer_the_longer_it_fails() -> None:
    assert [rest(0), rest(8), rest(120), rest(10**6)] == [5, 5, 60, LONGEST_REST]


def test_a_hub_rests_never_longer_than_the_schedule_waits() -> None:
    brief = Schedule(waits=(0.1, 0.4), cap=3600)
    since = NOW - timedelta(hours=1)
    assert brief.rest(since, 0, now=NOW, jitter=0) == NOW + timedelta(seconds=0.4)
