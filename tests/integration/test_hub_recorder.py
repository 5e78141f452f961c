"""Rounds of many hubs, recorded together."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from communication.clock import now
from communication.hubs.callbacks import callback_row
from communication.hubs.listener_model import CALLBACK, HUB
from communication.hubs.registration import NewHub, register
from communication.model import State
from communication.store import Store
from tests.messages import rows
from worker.hubs.health import Patience
from worker.hubs.outcomes import Recorded, Round, record
from worker.hubs.post import Job, Tried
from worker.hubs.recorder import Recorder
from worker.hubs.schedule import Schedule
from worker.hubs.verdict import Result, Verdict

HUBS = 20
PATIENCE = Patience(schedule=Schedule(waits=(5,), cap=60), gives_up_after=timedelta(hours=1))


@pytest.fixture
def rounds(store: Store) -> list[Round]:
    """A success for each of many hubs, which are leased."""
    with store.write() as connection:
        for number in range(HUBS):
            new = NewHub(callback=f"http://a.b/{number}", query=None, api_version="v1")
            key = register(connection, "default", new).key
            row = callback_row(key, position=1, event_id="e1", due_at=now())
            connection.execute(insert(CALLBACK), row)
        connection.execute(HUB.update().values(lease="mine"))
    return [_round(row) for row in rows(store, CALLBACK)]


def _round(row: Any) -> Round:
    job = Job(key=row.key, position=1, event_id="e1", event_type="T", attempts=0, body="{}")
    result = Result(verdict=Verdict.DELIVERED, status=200)
    tried = Tried(job=job, result=result, at=now(), took_ms=1)
    return Round(hub_key=row.hub_key, tenant="default", lease="mine", tries=[tried], ill=False)


def record_all(recorder: Recorder, rounds: Sequence[Round]) -> list[Recorded | BaseException]:
    with ThreadPoolExecutor(len(rounds)) as pool:
        futures = [pool.submit(recorder.record, one) for one in rounds]
    return [future.exception() or future.result() for future in futures]


def test_all_are_recorded_whoever_does_it(store: Store, rounds: list[Round]) -> None:
    results = record_all(Recorder(store, PATIENCE), rounds)

    assert all(isinstance(one, Recorded) and one.goes_on for one in results)
    assert [row.state for row in rows(store, CALLBACK)] == [State.DELIVERED] * HUBS


def test_a_round_that_can_not_be_recorded_spoils_no_other(
    store: Store, rounds: list[Round], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumbling(connection: Any, given: Sequence[Round], *rest: Any) -> list[Recorded]:
        if rounds[0] in given:
            raise ZeroDivisionError("oh")
        return record(connection, given, *rest)

    monkeypatch.setattr("worker.hubs.recorder.record", stumbling)

    results = record_all(Recorder(store, PATIENCE), rounds)

    assert isinstance(results[0], ZeroDivisionError)
    assert all(isinstance(one, Recorded) for one in results[1:])
    assert [row.state for row in rows(store, CALLBACK)][1:] == [State.DELIVERED] * (HUBS - 1)


def test_what_was_deleted_meanwhile_is_passed_by(store: Store, rounds: list[Round]) -> None:
    with store.write() as connection:
        connection.execute(HUB.delete())
        connection.execute(CALLBACK.delete())

    results = record_all(Recorder(store, PATIENCE), rounds)

    assert all(isinstance(one, Recorded) and not one.goes_on for one in results)
