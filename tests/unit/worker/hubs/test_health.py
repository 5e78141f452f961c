from datetime import UTC, datetime, timedelta

import pytest

from worker.hubs.health import Health, Patience, streak_of
from worker.hubs.post import Job, Tried
from worker.hubs.schedule import Schedule
from worker.hubs.verdict import Result, Verdict, result_of

NOW = datetime(2026, 11, 21, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)
PATIENCE = Patience(
    schedule=Schedule(waits=(5, 30), cap=3600), gives_up_after=120 * HOUR, jitter=lambda: 0.0
)
JOB = Job(key=1, position=1, event_id="e1", event_type="T", attempts=0, body="{}")


def tried(verdict: Verdict, *, retry_after: float = 0.0, at: datetime = NOW) -> Tried:
    return Tried(job=JOB, result=Result(verdict=verdict, retry_after=retry_after), at=at, took_ms=1)


OK, BAD, NO = tried(Verdict.DELIVERED), tried(Verdict.RETRY), tried(Verdict.FAILED)


def judge(before: Health, *tries: Tried, ill: bool = False) -> Health:
    return PATIENCE.judge(before, tries, ill=ill, now=NOW)


def test_a_hub_that_answers_is_well_whatever_it_was() -> None:
    ill = Health(failing_since=NOW - HOUR, resting_until=NOW)
    assert judge(ill, BAD, OK) == Health()


def test_it_fails_from_the_first_failure_after_a_success_on() -> None:
    later = tried(Verdict.RETRY, at=NOW + HOUR)
    assert judge(Health(), BAD, later) == Health(failing_since=NOW)
    assert judge(Health(failing_since=NOW - HOUR), BAD) == Health(failing_since=NOW - HOUR)
    assert judge(Health(failing_since=NOW - HOUR), OK, later).failing_since == NOW + HOUR


def test_one_that_refuses_fails_too_but_need_not_rest() -> None:
    assert judge(Health(), NO) == Health(failing_since=NOW)
    assert streak_of(0, [NO, NO, NO]) == 0


def test_too_many_failures_in_a_row_make_it_rest() -> None:
    assert streak_of(2, [BAD, BAD]) == 4
    assert streak_of(2, [BAD, OK, BAD]) == 1
    rested = judge(Health(), BAD, ill=True)
    assert rested == Health(failing_since=NOW, resting_until=NOW + timedelta(seconds=5))


def test_it_rests_as_long_as_it_asks_for() -> None:
    asking = tried(Verdict.RETRY, retry_after=60)
    assert judge(Health(), asking).resting_until == NOW + timedelta(seconds=60)
    assert judge(Health(), asking, OK) == Health()


def test_after_too_long_it_is_disabled() -> None:
    assert judge(Health(failing_since=NOW - 121 * HOUR), BAD).disabled
    assert not judge(Health(failing_since=NOW - 119 * HOUR), BAD).disabled
    assert not judge(Health(failing_since=NOW - 121 * HOUR), OK).disabled


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        *((status, Verdict.DELIVERED) for status in (200, 201, 204, 299)),
        *((status, Verdict.RETRY) for status in (301, 304, 307, 408, 429, 500, 503, 599)),
        *((status, Verdict.FAILED) for status in (400, 401, 404, 411, 422, 499)),
        (410, Verdict.GONE),
    ],
)
def test_what_each_answer_means(status: int, verdict: Verdict) -> None:
    assert result_of(status, {"retry-after": "7"}, now=NOW).verdict is verdict


def test_retry_after_is_heard_where_it_is_tried_again() -> None:
    assert result_of(503, {"retry-after": "7"}, now=NOW).retry_after == 7
    assert result_of(503, {}, now=NOW).retry_after == 0
