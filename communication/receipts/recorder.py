"""Receipts that come one by one, recorded together."""

from concurrent.futures import Future
from queue import Empty, SimpleQueue
from threading import Thread

import structlog

from communication.errors import ServiceUnavailable
from communication.receipts.receipt import Receipt
from communication.receipts.recording import MOST_AT_ONCE, record
from communication.store import Store

log = structlog.get_logger(part="communication.receipts.recording")

_Waiting = tuple[Receipt, "Future[None]"]


class Recorder:
    """Records what channels hear, in the order of the calls; shared by threads.

    What has come while a batch was being recorded is the next batch: one transaction for each
    receipt when they trickle, one for hundreds when they pour.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: SimpleQueue[_Waiting | None] = SimpleQueue()
        self._thread = Thread(target=self._run, name="receipts", daemon=True)
        self._thread.start()

    def __call__(self, receipt: Receipt) -> "Future[None]":
        """Ends when the receipt is committed, or in the error that prevented it."""
        committed: Future[None] = Future()
        self._waiting.put((receipt, committed))
        return committed

    def close(self) -> None:
        """Record what has come, and end. Nothing is recorded afterwards."""
        self._waiting.put(None)
        self._thread.join()

    def _run(self) -> None:
        over = False
        while not over:
            batch, over = self._next()
            if batch:
                self._record(batch)

    def _next(self) -> tuple[list[_Waiting], bool]:
        """A batch, and whether it is the last; waits for the first of it."""
        batch: list[_Waiting] = []
        try:
            one = self._waiting.get()
            while one is not None and len(batch) < MOST_AT_ONCE - 1:
                batch.append(one)
                one = self._waiting.get_nowait()
        except Empty:
            return batch, False
        if one is not None:
            batch.append(one)
        return batch, one is None

    def _record(self, batch: list[_Waiting]) -> None:
        try:
            record(self._store, [receipt for receipt, _ in batch])
        except Exception as error:
            if not isinstance(error, ServiceUnavailable):
                log.exception("receipts can't be recorded", count=len(batch))
            for _, committed in batch:
                committed.set_exception(error)
        else:
            for _, committed in batch:
                committed.set_result(None)
