"""One session with an SMSC, from the bind to its end: requests, answers and signs of life."""

import itertools
import ssl
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Self

import structlog

from channels.endpoint import Deadline
from channels.errors import ConfigurationFault, OutcomeUnknown
from channels.smpp.account import Account
from channels.smpp.pdu import Command, Inbox, MalformedPdu, Pdu, bind_body
from channels.smpp.status import ESME_RINVCMDID, ESME_RINVCMDLEN, FAULT_WAIT, refused_bind
from channels.smpp.wire import Wire, in_words, open_wire
from communication.errors import TransientDeliveryError

log = structlog.get_logger(part="channels.smpp.channel")

_LAST_SEQUENCE = 0x7FFF_FFFF
_GOODBYE_TIME = 1.0
"""Seconds that an SMSC has for what it still owes us when one of us has unbound."""

OnDelivered = Callable[["Session", Pdu], None]


class SessionOver(TransientDeliveryError):
    """The session takes nothing more; what it was just asked for has not been sent."""


class Session:
    """A bound connection. One thread calls `run`, any may submit."""

    def __init__(
        self, account: Account, wire: Wire, on_delivered: OnDelivered, *, careful: bool = False
    ) -> None:
        self._account = account
        self.proven = False
        """Whether it was of use: a bind alone may be ended at once, again and again."""
        self._wire = wire
        self._on_delivered = on_delivered
        self._inbox = Inbox()
        self._held_back = account.window - 1 if careful else 0
        self._window = threading.Semaphore(account.window - self._held_back)
        self._lock = threading.Lock()
        self._sequences = itertools.count(1)
        self._asked: dict[int, Future[Pdu]] = {}
        self._expected = 0
        self._over = ""
        self._is_lost = False
        self._enquired = False

    @classmethod
    def open(
        cls, account: Account, command: Command, on_delivered: OnDelivered, *, careful: bool = False
    ) -> Self:
        """Connected and bound. TransientDeliveryError if that fails.

        `careful`: the window has room for one submit until the first is answered.
        ConfigurationFault where a person has to mend something: a login, a certificate.
        """
        try:
            wire = open_wire(account.host, account.port, account.context, account.timeout)
        except ssl.SSLCertVerificationError as error:
            reason = f"the SMSC's certificate is not valid: {error.verify_message}"
            raise ConfigurationFault(reason, retry_after=FAULT_WAIT) from error
        except OSError as error:
            raise TransientDeliveryError(f"can't connect: {in_words(error)}") from error
        session = cls(account, wire, on_delivered, careful=careful)
        try:
            session._bind(command)
        except BaseException:
            wire.close()
            raise
        return session

    @property
    def load(self) -> int:
        """Submits without an answer, and those that are expected or wait for the window."""
        return len(self._asked) + self._expected

    @property
    def over(self) -> str:
        """Why it takes nothing more; "" while it does."""
        return self._over

    def expect(self) -> Self:
        """Count in a submit that is about to come."""
        with self._lock:
            self._expected += 1
        return self

    def submit(self, body: bytes, deadline: Deadline) -> "Submitted":
        """Send a submit_sm that is expected, when the window has room.

        SessionOver: then nothing was sent. TransientDeliveryError if there is no room before
        the deadline.
        """
        room = self._window.acquire(timeout=_left(deadline))
        answered: Future[Pdu] = Future()
        with self._lock:
            self._expected -= 1
            if not room:
                raise TransientDeliveryError("timed out: the window of outstanding submits is full")
            if self._over:
                self._window.release()
                raise SessionOver(self._over)
            sequence = self._next_sequence()
            self._asked[sequence] = answered
        try:
            self._wire.write(Pdu(Command.SUBMIT_SM, sequence, body=body).encode())
        except OSError as error:
            self._settle(sequence)
            self._end(f"connection lost: {in_words(error)}")
            raise SessionOver(self._over) from error
        return Submitted(self, sequence, answered)

    def forget(self, sequence: int) -> bool:
        """Wait for this answer no more; False if it has come."""
        return self._settle(sequence) is not None

    def answer(self, pdu: Pdu) -> None:
        """Send a response. If that fails the session ends, and the SMSC will ask again."""
        try:
            self._wire.write(pdu.encode())
        except OSError as error:
            self._end(f"connection lost: {in_words(error)}")

    def run(self) -> None:
        """Hear what the SMSC says until the session is over; then let go of the connection."""
        try:
            while not self._over or self._asked:
                self._listen()
        except (OSError, MalformedPdu) as error:
            self._end(in_words(error))
        finally:
            self._end("the session ended")
            self._wire.close()

    def unbind(self) -> None:
        """Say goodbye; `run` ends at the answer, or soon without one."""
        self._leave("the channel is closed")
        self.answer(Pdu(Command.UNBIND, self._next_sequence()))

    def cut(self) -> None:
        """End it at once."""
        self._end("the channel is closed")

    def _bind(self, command: Command) -> None:
        account = self._account
        deadline = Deadline.after(account.timeout)
        own = (account.system_id, account.password, account.system_type)
        body = bind_body(*(text.encode("utf-8") for text in own))
        request = Pdu(command, self._next_sequence(), body=body)
        try:
            self._wire.write(request.encode())
            answer = self._answer_to_bind(command.response, deadline)
        except (OSError, MalformedPdu) as error:
            raise TransientDeliveryError(f"can't bind: {in_words(error)}") from error
        if answer.status:
            raise refused_bind(answer.status)

    def _answer_to_bind(self, wanted: int, deadline: Deadline) -> Pdu:
        """What comes beside it is taken as ever."""
        while True:
            octets = self._wire.read(deadline.left())
            if not octets:
                raise ConnectionResetError("the SMSC closed the connection")
            answer = None
            for pdu in self._inbox.feed(octets):
                if answer is None and pdu.command in (wanted, Command.GENERIC_NACK):
                    answer = pdu
                else:
                    self._take(pdu)
            if answer is not None:
                return answer

    def _listen(self) -> None:
        within = self._account.timeout if self._enquired else self._account.enquire
        try:
            octets = self._wire.read(_GOODBYE_TIME if self._over else within)
        except TimeoutError:
            self._wonder()
            return
        if not octets:
            raise ConnectionResetError("the SMSC closed the connection")
        self._enquired = False
        try:
            for pdu in self._inbox.feed(octets):
                self._take(pdu)
        except MalformedPdu:
            self.answer(Pdu(Command.GENERIC_NACK, 0, ESME_RINVCMDLEN))
            raise

    def _wonder(self) -> None:
        """Whether the SMSC, which says nothing, is there at all."""
        if self._over or self._enquired:
            raise ConnectionResetError("the SMSC does not answer")
        self._enquired = True
        self.answer(Pdu(Command.ENQUIRE_LINK, self._next_sequence()))

    def _take(self, pdu: Pdu) -> None:
        if pdu.command in (Command.DELIVER_SM, Command.DATA_SM):
            self.proven = True
            self._on_delivered(self, pdu)
        elif pdu.is_response:
            self._take_answer(pdu)
        elif pdu.command == Command.ENQUIRE_LINK:
            self.answer(pdu.answer())
        elif pdu.command == Command.UNBIND:
            self._leave("the SMSC has unbound")
            self.answer(pdu.answer())
        elif pdu.command not in (Command.OUTBIND, Command.ALERT_NOTIFICATION):
            self.answer(Pdu(Command.GENERIC_NACK, pdu.sequence, ESME_RINVCMDID))

    def _take_answer(self, pdu: Pdu) -> None:
        if pdu.command == Command.UNBIND.response:
            self._end(self._over or "the SMSC has unbound")
        if pdu.command not in (Command.SUBMIT_SM.response, Command.GENERIC_NACK):
            return
        answered = self._settle(pdu.sequence)
        if answered is not None:
            self.proven = True
            if self._held_back:
                self._window.release(self._held_back)
                self._held_back = 0
            answered.set_result(pdu)
        else:
            log.warning(
                "an answer to nothing that is outstanding",
                provider=self._account.name,
                status=pdu.status,
            )

    def _settle(self, sequence: int) -> Future[Pdu] | None:
        """What waits for this answer, which makes room in the window; None if nothing does."""
        answered = self._asked.pop(sequence, None)
        if answered is not None:
            self._window.release()
        return answered

    def _leave(self, reason: str) -> None:
        with self._lock:
            self._over = self._over or reason

    def _end(self, reason: str) -> None:
        self._leave(reason)
        while self._asked:
            with suppress(KeyError):  # its answer may come in this moment
                _, answered = self._asked.popitem()
                self._window.release()
                why = f"it may have been taken: {self._over}"
                answered.set_exception(OutcomeUnknown(why, shared=self._is_lost))
                self._is_lost = True
        self._wire.cut()

    def _next_sequence(self) -> int:
        return (next(self._sequences) - 1) % _LAST_SEQUENCE + 1


class Submitted:
    """A submit that the SMSC was sent, and its answer to come."""

    def __init__(self, session: Session, sequence: int, answered: "Future[Pdu]") -> None:
        self._session = session
        self._sequence = sequence
        self._answered = answered

    def answer(self, within: float) -> Pdu:
        """The answer, whatever its status. OutcomeUnknown if there is none in time."""
        try:
            return self._answered.result(within)
        except TimeoutError:
            if not self.forget():  # it comes in this moment
                return self._answered.result()
            reason = f"it may have been taken: no answer within {within:g} s"
            raise OutcomeUnknown(reason) from None

    def forget(self) -> bool:
        """Wait for its answer no more; False if it has come."""
        return self._session.forget(self._sequence)


def _left(deadline: Deadline) -> float:
    try:
        return deadline.left()
    except TimeoutError:
        return 0.0
