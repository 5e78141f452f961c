"""The threads that send, shared by all batches of a channel."""

from collections.abc import Callable, Iterable
from heapq import heappop, heappush
from itertools import count
from threading import Condition, Thread


class Pool:
    """Runs tasks side by side, the smallest priority number first.

    One thread is woken at a time, by the one that was woken before: tasks that end at once are
    all done by the same few threads, and when they wait for a provider, all threads soon run.
    With a wake-up for every task the threads would spend their time on handing over to each
    other.
    """

    def __init__(self, width: int) -> None:
        """`width`: the most tasks that run side by side."""
        self._width = width
        self._changed = Condition()
        self._tasks: list[tuple[int, int, Callable[[], object]]] = []
        self._order = count()
        self._threads: list[Thread] = []
        self._idle = 0
        self._is_waking = False
        self._closing = False

    def put(self, priority: int, task: Callable[[], object]) -> None:
        """Have a task run; it must not raise."""
        self.put_all([(priority, task)])

    def put_all(self, tasks: Iterable[tuple[int, Callable[[], object]]]) -> None:
        """Have tasks run, each with its priority."""
        with self._changed:
            for priority, task in tasks:
                heappush(self._tasks, (priority, next(self._order), task))
            if self._tasks:
                self._wake_one()

    def close(self) -> None:
        """Return when all tasks have been run and the threads have ended."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _wake_one(self) -> None:
        if self._is_waking:
            return
        if self._idle:
            self._is_waking = True
            self._changed.notify()
        elif len(self._threads) < self._width:
            self._is_waking = True
            thread = Thread(target=self._run, name=f"send-{len(self._threads)}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _run(self) -> None:
        self._woken()
        while task := self._next():
            task()

    def _woken(self) -> None:
        with self._changed:
            self._is_waking = False

    def _next(self) -> Callable[[], object] | None:
        """The next task; None when there will be no more."""
        with self._changed:
            while not self._tasks:
                if self._closing:
                    return None
                self._idle += 1
                self._changed.wait()
                self._idle -= 1
                self._is_waking = False
            _, _, task = heappop(self._tasks)
            if self._tasks:
                self._wake_one()
            return task
