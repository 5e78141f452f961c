import threading
from collections.abc import Callable
from threading import Barrier, Event

from tests.crowd import Crowd
from tests.waiting import wait_until
from worker.pool import Pool

A_MOMENT = Event()
"""Never set: to wait for it takes the time that a provider would."""


def test_as_many_tasks_run_side_by_side_as_it_is_wide() -> None:
    pool, together = Pool(20), Barrier(20)
    for _ in range(40):
        pool.put(4, lambda: together.wait(timeout=120))
    pool.close()
    assert not together.broken


def test_no_more_run_at_once_than_it_is_wide() -> None:
    pool, together = Pool(3), Crowd(bound=3)

    def task() -> None:
        with together:
            pass

    for _ in range(30):
        pool.put(4, task)
    pool.close()
    assert together.most == 3


def test_the_most_urgent_task_is_next() -> None:
    pool, may_go, done = Pool(1), Event(), list[int]()

    def noting(priority: int) -> Callable[[], None]:
        return lambda: done.append(priority)

    pool.put(0, lambda: may_go.wait(120))
    for priority in (7, 4, 0, 9, 4):
        pool.put(priority, noting(priority))
    may_go.set()
    pool.close()
    assert done == [0, 4, 4, 7, 9]


def test_every_task_runs_whoever_puts_it_and_whenever() -> None:
    pool, done, lock = Pool(8), [0], threading.Lock()

    def task() -> None:
        with lock:
            done[0] += 1

    def put_many() -> None:
        for number in range(500):
            pool.put(number % 10, task)

    putting = [threading.Thread(target=put_many) for _ in range(4)]
    for thread in putting:
        thread.start()
    for thread in putting:
        thread.join()
    wait_until(lambda: done == [2000])
    pool.put(4, task)
    pool.close()
    assert done == [2001]


def test_closing_waits_for_what_is_not_done() -> None:
    pool, done = Pool(2), list[int]()

    def task() -> None:
        A_MOMENT.wait(0.001)
        done.append(1)

    for _ in range(20):
        pool.put(4, task)
    pool.close()
    assert len(done) == 20
