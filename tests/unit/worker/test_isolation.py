"""What may kill its worker runs alone."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from threading import Event, Thread

import pytest

from tests.waiting import wait_until
from worker.isolation import Isolation


class Batch:
    """One that runs until it is told to end."""

    def __init__(self, kind: Callable[[], AbstractContextManager[None]]) -> None:
        self.begun = Event()
        self.end = Event()
        self._kind = kind
        self.thread = Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        with self._kind():
            self.begun.set()
            self.end.wait(120)

    def ended(self) -> None:
        self.end.set()
        self.thread.join(120)
        assert not self.thread.is_alive()


@pytest.fixture
def isolation() -> Isolation:
    return Isolation()


def test_batches_run_side_by_side(isolation: Isolation) -> None:
    batches = [Batch(isolation.side_by_side) for _ in range(3)]

    wait_until(lambda: all(batch.begun.is_set() for batch in batches))

    for batch in batches:
        batch.ended()


def test_a_suspect_waits_for_the_others_and_keeps_new_ones_waiting(isolation: Isolation) -> None:
    first = Batch(isolation.side_by_side)
    first.begun.wait(120)
    suspects = [Batch(isolation.alone) for _ in range(2)]
    wait_until(lambda: isolation.suspects == 2)
    later = Batch(isolation.side_by_side)
    assert not any(batch.begun.is_set() for batch in (*suspects, later))

    first.ended()
    wait_until(lambda: sum(batch.begun.is_set() for batch in suspects) == 1)
    one, other = sorted(suspects, key=lambda batch: not batch.begun.is_set())
    assert not other.begun.is_set()
    assert not later.begun.is_set()

    one.ended()
    wait_until(other.begun.is_set)
    assert not later.begun.is_set()
    other.ended()
    wait_until(later.begun.is_set)
    later.ended()
