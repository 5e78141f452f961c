"""Mails that came back: matched with their deliveries, recorded, told, and their addresses kept.

A delivery's final state stays: what comes back later is one more attempt in the contact log and
an event (docs/email.md).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import structlog
from sqlalchemy import Connection, Row, Select, select

from communication.bulk import insert_rows
from communication.clock import now
from communication.mail import suppression
from communication.mail.bounce_address import BounceAddress, DeliveryName, delivery_name
from communication.mail.dsn import Bounce, Report, Severity, read_report
from communication.model import ATTEMPT, DELIVERY, DOCUMENT, MESSAGE, RECEIVER, State
from communication.receipts import receipt_endings
from communication.receipts.receipt import Receipt, ReceiptState
from communication.recordable import recordable
from communication.store import Store

PROVIDER = "bounce://"
"""What attempts call it."""
_DELAYED = "delayed"
_MESSAGE_ID = re.compile(r"<([0-9a-f-]{36}-[0-9]{1,9}-[0-9]{1,9})@")
_OPEN = (State.PENDING, State.SENDING)

log = structlog.get_logger(part="bounces")


class Finding(Enum):
    """What became of a mail that somebody handed to us as a bounce."""

    RECORDED = "recorded"
    NO_REPORT = "it is no delivery status notification (RFC 3464)"
    GOOD_NEWS = "it reports no failure"
    UNKNOWN = "it is about no delivery of ours, or does not prove that it is"
    TOO_EARLY = "its delivery is not recorded yet; hand it over again later"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Claim:
    """The delivery that a report is about; `proved`: only who was sent the mail can know it."""

    name: DeliveryName
    proved: bool


class Bounces:
    """Takes in reports, by any number of processes at once."""

    def __init__(self, store: Store, address: BounceAddress | None, *, suppressing: bool) -> None:
        self._store = store
        self._address = address
        self._suppressing = suppressing

    def take(self, mail: bytes, recipients: Sequence[str] = ()) -> Finding:
        """Record what a mail reports; `recipients` are those of its envelope, if known.

        The same report twice changes nothing. ServiceUnavailable if the database is away.
        """
        report = read_report(mail)
        if report is None:
            return Finding.NO_REPORT
        if not report.bounces:
            return Finding.GOOD_NEWS
        claim = self._claim(report, recipients)
        if claim is None:
            return Finding.UNKNOWN
        with self._store.write() as connection:
            finding = self._record(connection, claim, report)
        log.info("bounce", finding=finding.name.lower(), delivery=claim.name.public_id)
        return finding

    def _claim(self, report: Report, recipients: Sequence[str]) -> _Claim | None:
        if self._address:
            proved = self._address.deliveries_in("\n".join([*recipients, report.addressed]))
            if proved:
                return _Claim(name=proved[0], proved=True)
        match = _MESSAGE_ID.search(report.message_id)
        name = match and delivery_name(match[1])
        return _Claim(name=name, proved=False) if name else None

    def _record(self, connection: Connection, claim: _Claim, report: Report) -> Finding:
        row = _find(connection, claim.name)
        if row is None or row.email is None:  # erased
            return Finding.UNKNOWN
        bounce = _about(row, claim, report)
        if bounce is None:
            return Finding.UNKNOWN
        if row.state in _OPEN:
            return Finding.TOO_EARLY
        if bounce.severity is Severity.DELAYED:
            _log_delay(connection, row, bounce)
            return Finding.RECORDED
        receipt = Receipt(
            provider=PROVIDER,
            reference=row.reference or "",
            state=ReceiptState.UNDELIVERABLE,
            reason=recordable(bounce.reason),
        )
        receipt_endings.apply(connection, [(row, receipt)], now())
        # Where mails come back to addresses of their own, one that does not could be forged.
        if bounce.severity is Severity.HARD and (claim.proved or self._address is None):
            self._suppress(connection, row, claim, bounce)
        return Finding.RECORDED

    def _suppress(
        self, connection: Connection, row: Row[Any], claim: _Claim, bounce: Bounce
    ) -> None:
        if self._suppressing:
            suppression.add(
                connection,
                tenant=row.tenant,
                address=row.email,
                reason=recordable(bounce.reason),
                origin=claim.name.public_id,
                now=now(),
            )


def _find(connection: Connection, name: DeliveryName) -> Row[Any] | None:
    wanted: Select[Any] = (
        select(
            *(DELIVERY.c[column] for column in ("key", "message_key", "state", "reference")),
            DELIVERY.c.attempts,
            MESSAGE.c.tenant,
            RECEIVER.c.email,
            DOCUMENT.c.document["logFlag"].label("logged"),
        )
        .join(MESSAGE, MESSAGE.c.key == DELIVERY.c.message_key)
        .join(DOCUMENT, DOCUMENT.c.message_key == DELIVERY.c.message_key)
        .join(RECEIVER, RECEIVER.c.key == DELIVERY.c.receiver_key)
        .where(
            MESSAGE.c.uid == name.message_uid,
            DELIVERY.c.send == name.send,
            DELIVERY.c.ordinal == name.ordinal,
            DELIVERY.c.channel == "email",
        )
    )
    return connection.execute(wanted).one_or_none()


def _about(row: Row[Any], claim: _Claim, report: Report) -> Bounce | None:
    """What the report says of the delivery's receiver, failures first.

    Message-IDs of others can be guessed from one's own: without a proof the report has to
    name the receiver as well.
    """
    worst_first = sorted(report.bounces, key=lambda one: one.severity is Severity.DELAYED)
    named = (one for one in worst_first if _names(one, row.email))
    return next(named, worst_first[0] if claim.proved else None)


def _names(bounce: Bounce, email: str) -> bool:
    own = suppression.suppressible(email)
    for recipient in bounce.recipients:
        try:
            if suppression.suppressible(recipient) == own:
                return True
        except ValueError:
            continue
    return False


def _log_delay(connection: Connection, row: Row[Any], bounce: Bounce) -> None:
    """Once for each delivery, where the contact log is kept."""
    known = select(ATTEMPT.c.key).where(
        ATTEMPT.c.delivery_key == row.key, ATTEMPT.c.outcome == _DELAYED
    )
    silent = row.logged is not None and not row.logged
    if silent or connection.execute(known).first():
        return
    attempt = {
        "delivery_key": row.key,
        "number": row.attempts,
        "provider": PROVIDER,
        "outcome": _DELAYED,
        "reason": recordable(bounce.reason),
        "took_ms": 0,
        "at": now(),
    }
    insert_rows(connection, ATTEMPT, [attempt])
