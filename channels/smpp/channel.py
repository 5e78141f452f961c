"""`smpp://` and `smpps://`: SMS through an SMSC, by SMPP 3.4."""

from concurrent.futures import Future
from functools import partial
from typing import Self

import structlog

from channels.addresses import address_of
from channels.base import Environment, Outbound, Receipt, Receiver, drop_receipt
from channels.endpoint import Deadline
from channels.errors import OutcomeUnknown
from channels.identifiers import plain
from channels.smpp.links import Links
from channels.smpp.message import submits
from channels.smpp.pdu import MalformedPdu, Pdu, parse_delivered, parse_text
from channels.smpp.receipt import canonical, is_receipt, parse_receipt
from channels.smpp.session import Session, Submitted
from channels.smpp.settings import SmppSettings
from channels.smpp.status import (
    ESME_RX_R_APPN,
    ESME_RX_T_APPN,
    refusal,
)
from communication.channel_url import ChannelUrl
from communication.errors import DeliveryError, PermanentDeliveryError

log = structlog.get_logger(part="channels.smpp.channel")

_NO_ID = b"\0"


class SmppChannel:
    """Pipelines the submits of all threads over one or a few sessions that are kept bound."""

    def __init__(self, settings: SmppSettings, environment: Environment) -> None:
        self.provider = settings.account.name
        self.account = settings.account.system_id
        self.concurrency = settings.account.window * settings.senders
        self.awaits_receipt = settings.style.receipts
        self._settings = settings
        self._on_receipt = environment.on_receipt
        self._timeout = settings.account.timeout
        self._until_sent = environment.send_timeout - self._timeout
        self._links = Links(settings.account, settings.binds, self._delivered)

    @classmethod
    def open(cls, url: ChannelUrl, environment: Environment) -> Self:
        """From `smpp://system_id:password@host:port?…`; docs/sms.md lists the parameters.

        Begins to bind at once, in the background, for receipts may be waiting.
        """
        if environment.medium != "sms":
            raise url.fault("sends SMS only")
        hears = environment.on_receipt is not drop_receipt
        send_timeout = environment.send_timeout
        return cls(SmppSettings.read(url, send_timeout=send_timeout, hears=hears), environment)

    def address(self, receiver: Receiver) -> str:
        """The receiver's phone number."""
        return address_of(receiver, "sms")

    def send(self, outbound: Outbound) -> str:
        """The SMSC's message id; of a message in parts their ids, with spaces between.

        The reason of a refusal names the command_status. OutcomeUnknown if a part was handed
        over and no answer came, and none was refused.
        """
        bodies = submits(outbound, self._settings.style)
        deadline = Deadline.after(self._until_sent)
        ids, failures = [], []
        for submitted in self._links.submit(bodies, deadline):
            try:
                ids.append(self._message_id(submitted))
            except DeliveryError as error:
                failures.append(error)
        if failures:
            raise min(failures, key=_rank)
        return " ".join(filter(None, ids)) or plain(outbound.delivery_id)

    def close(self) -> None:
        """Unbind; then nothing is sent."""
        self._links.close()

    def _message_id(self, submitted: Submitted) -> str:
        answer = submitted.answer(self._timeout)
        if answer.status:
            raise refusal(answer.status, self._settings.verdicts)
        return canonical(parse_text(answer.body), self._settings.ids)

    def _delivered(self, session: Session, pdu: Pdu) -> None:
        """A deliver_sm or data_sm, which is answered when what it tells is recorded."""
        try:
            delivered = parse_delivered(pdu)
            if not is_receipt(delivered):
                log.info("a message from a phone is ignored", provider=self.provider)
                session.answer(pdu.answer(body=_NO_ID))
                return
            settings = self._settings
            receipt = parse_receipt(delivered, self.provider, settings.ids, settings.zone)
        except MalformedPdu as error:
            log.warning("unusable deliver_sm", provider=self.provider, reason=str(error))
            session.answer(pdu.answer(ESME_RX_R_APPN))
            return
        self._recorded(receipt).add_done_callback(partial(_answer, session, pdu))

    def _recorded(self, receipt: Receipt) -> "Future[None]":
        try:
            return self._on_receipt(receipt)
        except Exception as error:
            log.exception("a receipt can't be recorded", provider=self.provider)
            failed: Future[None] = Future()
            failed.set_exception(error)
            return failed


def _answer(session: Session, pdu: Pdu, recorded: "Future[None]") -> None:
    """What could not be recorded the SMSC is to tell again."""
    failed = recorded.cancelled() or recorded.exception() is not None
    session.answer(pdu.answer(ESME_RX_T_APPN) if failed else pdu.answer(body=_NO_ID))


def _rank(error: DeliveryError) -> int:
    """What tells most of the whole: a part that is refused for good, one that is not taken."""
    if isinstance(error, PermanentDeliveryError):
        return 0
    return 2 if isinstance(error, OutcomeUnknown) else 1
