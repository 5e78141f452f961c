"""What runs for as long as its process: a turn, a rest, and again, whatever is away meanwhile."""

from abc import ABC, abstractmethod
from threading import Event

import structlog

from communication import metrics
from communication.errors import BrokerUnavailable, ServiceUnavailable
from worker.broker import Queues

log = structlog.get_logger(part="worker")

PAUSE = 1.0
"""Seconds before another turn when the database or the broker is away."""


class Stepping(ABC):
    """`run` returns after `stop`."""

    name: str
    """In the log."""

    def __init__(self, queues: Queues, *, rest: float) -> None:
        self._queues = queues
        self._rest = rest
        self._stopping = Event()

    @abstractmethod
    def step(self) -> bool:
        """Do what there is to do; whether there may be more at once."""

    def turn(self) -> bool:
        """A step, and from time to time what else is to be done."""
        return self.step()

    def stop(self) -> None:
        """Ends `run` after the turn that it is in."""
        self._stopping.set()

    def run(self) -> None:
        """Take turns until stopped; an engine that is away is waited for."""
        while not self._stopping.is_set():
            self._stopping.wait(self._turn_safely())

    def _turn_safely(self) -> float:
        """One turn; returns how many seconds to rest before the next."""
        try:
            if self.turn():
                return 0
            self._queues.keep_alive()
        except BrokerUnavailable as error:
            metrics.PUBLISH_FAILED.inc()
            log.warning("the broker is away, the work waits", who=self.name, why=str(error))
            return PAUSE
        except ServiceUnavailable as error:
            log.warning("the database is away", who=self.name, why=error.message)
            return PAUSE
        except Exception:
            # Whatever it was, the loop goes on: in the embedded mode nobody restarts it.
            log.exception("stumbled", who=self.name)
            return PAUSE
        return self._rest
