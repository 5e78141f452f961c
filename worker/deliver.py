"""One delivery, tried once: rendered, handed to its channel, and what came of it."""

import random
import time
import traceback
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import structlog

from channels.base import Attachment, Channel, Outbound, Receiver, awaits_receipt
from channels.errors import PutOff
from channels.health.provider import resting
from communication.clock import now
from communication.errors import DeliveryError, PermanentDeliveryError, TransientDeliveryError
from communication.mail.suppression import REASON
from communication.model import State
from communication.privacy.hiding import about
from communication.receipts.recording import can_be_awaited
from communication.recordable import recordable
from communication.settings import Settings
from communication.sms_text import measure, simplify
from worker.attachments import Attachments
from worker.fetching import open_fetcher
from worker.outcomes import Outcome
from worker.render import Job, render
from worker.retry import next_try

SOON = 0.1
"""Seconds for which a delivery is put off at least."""
SUPPRESSION = "suppression://"
"""What attempts call the provider that was not asked."""

log = structlog.get_logger(part="worker.deliver")


class UnexpectedError(TransientDeliveryError):
    """A channel raised what no channel may raise. `detail` is the traceback."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(f"unexpected {type(error).__name__}")
        self.detail = "".join(traceback.format_exception(error))


class Deliverer:
    """Sends through one channel; shared by threads. Knows no store."""

    def __init__(self, channel: Channel, settings: Settings) -> None:
        self.channel = channel
        self._settings = settings
        self._enclosed = Attachments(settings, open_fetcher(settings))

    def close(self) -> None:
        """Let go of connections."""
        self._enclosed.close()
        self.channel.close()

    def resting(self) -> float:
        """Seconds for which no provider is to be asked."""
        return resting(self.channel)

    def needs_nobody(self, receiver: Receiver) -> bool:
        """Whether the receiver can be served while all providers rest."""
        serves = getattr(self.channel, "needs_nobody", None)
        return bool(serves and serves(receiver))

    def attempt(self, job: Job) -> Outcome:
        """Try once. Never raises: whatever went wrong is an outcome."""
        if job.unwanted:
            return _cancelled(job)
        # What a provider says may name whom it is about: it is recorded, and hidden in the log.
        with about(*_names(job.receiver)):
            return self._attempt(job)

    def _attempt(self, job: Job) -> Outcome:
        began, clock = now(), time.perf_counter()
        result, segments = self._send(job)
        if isinstance(result, PutOff):
            return _put_off(job, result)
        facts: dict[str, Any] = {
            "delivery_key": job.delivery_key,
            "message_key": job.message_key,
            "attempts": job.attempts + 1,
            "provider": SUPPRESSION if job.suppressed else self.channel.provider,
            "took_ms": round((time.perf_counter() - clock) * 1000),
            "at": began,
            "logged": bool(job.document.get("logFlag", True)),
            "template_version": job.template_version,
            "segments": segments,
        }
        if isinstance(result, str):
            return self._taken(recordable(result), facts)
        due_at = self._next_try(job, result)
        log.warning(
            "delivery failed",
            message=job.message_id,
            delivery=job.public_id,
            attempt=job.attempts + 1,
            reason=result.reason,
            again_at=due_at and due_at.isoformat(),
        )
        return Outcome(
            **facts,
            state=State.PENDING if due_at else State.FAILED,
            reason=recordable(result.reason),
            detail=recordable(result.detail) if isinstance(result, UnexpectedError) else None,
            due_at=due_at,
        )

    def _taken(self, reference: str, facts: dict[str, Any]) -> Outcome:
        if not awaits_receipt(self.channel) or not can_be_awaited(reference):
            return Outcome(**facts, state=State.DELIVERED, reference=reference)
        due_at = now() + timedelta(seconds=self._settings.receipt_wait)
        return Outcome(**facts, state=State.SENT, reference=reference, due_at=due_at)

    def _send(self, job: Job) -> tuple[str | DeliveryError, int | None]:
        """The provider's reference or what went wrong, and for an SMS how many it is."""
        segments = None
        if job.suppressed:
            return PermanentDeliveryError(REASON), segments
        try:
            address = self.channel.address(job.receiver)
            outbound = render(job, address=address, attachments=self._attachments(job))
            if job.channel == "sms":
                outbound = self._plain(outbound)
                segments = measure(outbound.text).segments
            # A plug-in may forget the reference: it has sent all the same.
            return str(self.channel.send(outbound)), segments
        except DeliveryError as error:
            return error, segments
        except BaseException as error:  # noqa: BLE001 - a plug-in may raise anything, even SystemExit; it is recorded
            return UnexpectedError(error), segments

    def _plain(self, outbound: Outbound) -> Outbound:
        if not self._settings.sms_simplify:
            return outbound
        return replace(outbound, text=simplify(outbound.text))

    def _attachments(self, job: Job) -> tuple[Attachment, ...]:
        if job.document.get("type") != "Email":
            return ()
        return tuple(self._enclosed.of(job.tenant, job.document, now()))

    def _next_try(self, job: Job, error: DeliveryError) -> datetime | None:
        return next_try(
            error,
            attempts=job.attempts + 1,
            try_times=job.document.get("tryTimes", self._settings.try_times),
            settings=self._settings,
            now=now(),
            jitter=random.random,
        )


def _names(receiver: Receiver) -> Iterator[str | None]:
    yield from (receiver.email, receiver.phone, receiver.app_user_id, receiver.name)
    yield from (device.token for device in receiver.devices)


def _put_off(job: Job, error: PutOff) -> Outcome:
    moment = now()
    return Outcome(
        delivery_key=job.delivery_key,
        message_key=job.message_key,
        attempts=job.attempts,
        state=State.PENDING,
        at=moment,
        due_at=moment + timedelta(seconds=max(error.retry_after or 0.0, SOON)),
        reason=recordable(error.reason),
        logged=False,
        is_try=False,
    )


def _cancelled(job: Job) -> Outcome:
    return Outcome(
        delivery_key=job.delivery_key,
        message_key=job.message_key,
        attempts=job.attempts,
        state=State.CANCELLED,
        at=now(),
        logged=False,
    )
