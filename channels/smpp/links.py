"""The sessions of one account: bound again when they are lost, and submits spread over them."""

import random
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import structlog

from channels.endpoint import Deadline
from channels.errors import ConfigurationFault, NotTaken
from channels.smpp.account import Account
from channels.smpp.pdu import Command
from channels.smpp.session import OnDelivered, Session, SessionOver, Submitted
from communication.errors import TransientDeliveryError

log = structlog.get_logger(part="channels.smpp.channel")

_SHORTEST_WAIT = 0.5
_LONGEST_WAIT = 10.0
_AFTER_REFUSAL = 10.0
"""Seconds at least after a refused bind: else a wrong password would lock the account."""
_PROVEN = 10.0
"""Seconds after which a session counts as a success even if it was of no use."""
_CLOSE_TIME = 2.0


@dataclass(slots=True)
class Backoff:
    """Seconds until the next try to bind: doubled at each failure, with jitter."""

    failures: int = 0

    def next(self, *, refused: bool) -> float:
        """After one more failure."""
        wait = min(_SHORTEST_WAIT * 2.0 ** min(self.failures, 10), _LONGEST_WAIT)
        self.failures += 1
        wait *= random.uniform(0.5, 1.0)  # noqa: S311  # no secret hangs on it
        return max(wait, _AFTER_REFUSAL) if refused else wait

    def succeeded(self) -> None:
        """The next failure is a first one."""
        self.failures = 0


class Link:
    """One session and its successors, in a thread of its own."""

    def __init__(
        self,
        account: Account,
        command: Command,
        on_delivered: OnDelivered,
        changed: threading.Condition,
    ) -> None:
        self.session: Session | None = None
        self.fault: TransientDeliveryError | None = None
        """Why the last try to bind failed; None while that is not known."""
        self._account = account
        self._command = command
        self._on_delivered = on_delivered
        self._changed = changed
        self._closing = threading.Event()
        self._backoff = Backoff()
        self._is_careful = False
        self._thread = threading.Thread(target=self._run, name="smpp", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Unbind, and end the thread."""
        self._closing.set()
        with self._changed:
            session = self.session
        if session is not None:
            session.unbind()
        self._thread.join(_CLOSE_TIME)
        if self._thread.is_alive() and session is not None:
            session.cut()
            self._thread.join(_CLOSE_TIME)

    def _run(self) -> None:
        while not self._closing.is_set():
            self._bind_and_run()
            refused = isinstance(self.fault, ConfigurationFault)
            self._closing.wait(self._backoff.next(refused=refused))

    def _bind_and_run(self) -> None:
        try:
            session = Session.open(
                self._account, self._command, self._on_delivered, careful=self._is_careful
            )
        except TransientDeliveryError as error:
            self._failed(error)
            return
        log.info("bound", provider=self._account.name, bind=self._command.name.lower())
        began = time.monotonic()
        self._now(session, None)
        if self._closing.is_set():
            session.unbind()
        try:
            session.run()
        except Exception:
            # The thread goes on: without it nothing would ever be bound again.
            log.exception("session failed", provider=self._account.name)
        # What is outstanding when a session is lost may have been taken, all of it.
        self._is_careful = not session.proven
        if session.proven or time.monotonic() - began >= _PROVEN:
            self._backoff.succeeded()
        self._now(None, None)
        if not self._closing.is_set():
            log.warning("session lost", provider=self._account.name, reason=session.over)

    def _failed(self, error: TransientDeliveryError) -> None:
        if self.fault is None or self.fault.reason != error.reason:
            say = log.error if isinstance(error, ConfigurationFault) else log.warning
            say("can't bind", provider=self._account.name, reason=error.reason)
        self._now(None, error)

    def _now(self, session: Session | None, fault: TransientDeliveryError | None) -> None:
        with self._changed:
            self.session, self.fault = session, fault
            self._changed.notify_all()


class Links:
    """All sessions of a channel. Shared by threads."""

    def __init__(
        self, account: Account, binds: Sequence[Command], on_delivered: OnDelivered
    ) -> None:
        self._account = account
        self._changed = threading.Condition()
        self._closed = False
        links = [Link(account, bind, on_delivered, self._changed) for bind in binds]
        self._links = links
        self._senders = [
            link
            for link, bind in zip(links, binds, strict=True)
            if bind is not Command.BIND_RECEIVER
        ]

    def submit(self, bodies: Sequence[bytes], deadline: Deadline) -> list[Submitted]:
        """Send them side by side; all must be on their way before the deadline.

        TransientDeliveryError if one can't be; then the answers to the others are not awaited.
        """
        submitted: list[Submitted] = []
        try:
            for body in bodies:
                submitted.append(self._submit(body, deadline))  # noqa: PERF401  # those before a failure count
        except TransientDeliveryError:
            for one in submitted:
                one.forget()
            raise
        return submitted

    def close(self) -> None:
        """Unbind all. Nothing is submitted afterwards."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for link in self._links:
            link.close()

    def _submit(self, body: bytes, deadline: Deadline) -> Submitted:
        while True:
            # A session that ends before it has sent anything: the next one takes its place.
            with suppress(SessionOver):
                return self._session(deadline).submit(body, deadline)

    def _session(self, deadline: Deadline) -> Session:
        """The least busy one; waits while one is being bound for the first time or again."""
        with self._changed:
            while True:
                if self._closed:
                    raise TransientDeliveryError("the channel is closed")
                bound = [one.session for one in self._senders if one.session is not None]
                able = [one for one in bound if not one.over]
                if able:
                    return min(able, key=lambda one: one.load).expect()
                self._raise_fault()
                self._wait(deadline)

    def _raise_fault(self) -> None:
        faults = [one.fault for one in self._senders]
        fault = faults[0]
        if fault is not None and all(faults):
            raise type(fault)(fault.reason, retry_after=fault.retry_after)

    def _wait(self, deadline: Deadline) -> None:
        try:
            self._changed.wait(deadline.left())
        except TimeoutError:
            reason = "timed out: waiting to be bound"
            raise NotTaken(reason, retry_after=_LONGEST_WAIT) from None
