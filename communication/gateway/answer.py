"""What a gateway's answer to one message means."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from communication.gateway.description import AnswerTable
from communication.gateway.fields import Said, find
from communication.http.retry_after import retry_after

_LONGEST = 300


class Verdict(Enum):
    """What became of the message."""

    ACCEPTED = "accepted"
    PERMANENT = "permanent"  # the message or its receiver is refused
    TRANSIENT = "transient"
    BUSY = "busy"  # it wants fewer messages
    ACCOUNT = "account"  # we are refused
    PUZZLING = "puzzling"  # a yes without a reference, or without the code that must say so


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """An answer, understood."""

    verdict: Verdict
    reference: str = ""
    reason: str = ""
    retry_after: float | None = None


def judge(
    table: AnswerTable, status: int, headers: Mapping[str, str], body: bytes, now: datetime
) -> Judgement:
    """By the gateway's own codes first, then by the HTTP status (RFC 9110 §15)."""
    said = Said(body=body, headers=headers)
    code = find(table.code, said)
    verdict = _verdict(table, status, code)
    reference = find(table.reference, said) or ""
    if verdict is Verdict.PUZZLING:
        return Judgement(verdict=verdict, reason=f"HTTP {status} without a code")
    if verdict is Verdict.ACCEPTED:
        if reference:
            return Judgement(verdict=verdict, reference=reference)
        return Judgement(verdict=Verdict.PUZZLING, reason=f"HTTP {status} without a reference")
    return Judgement(
        verdict=verdict,
        reason=_reason(status, code, find(table.reason, said)),
        retry_after=retry_after(headers, now=now),
    )


def _verdict(table: AnswerTable, status: int, code: str | None) -> Verdict:
    lists = (
        (table.permanent, Verdict.PERMANENT),
        (table.transient, Verdict.TRANSIENT),
        (table.busy, Verdict.BUSY),
        (table.account, Verdict.ACCOUNT),
    )
    for listed, verdict in lists:
        if code in listed or status in listed:
            return verdict
    if 200 <= status < 300:  # noqa: PLR2004 - HTTP's
        return _by_code(table, code)
    return _by_status(status)


def _by_code(table: AnswerTable, code: str | None) -> Verdict:
    """Of a 2xx whose code is in no list of what went wrong."""
    if not table.accepted or code in table.accepted:
        return Verdict.ACCEPTED
    return Verdict.TRANSIENT if code else Verdict.PUZZLING


def _by_status(status: int) -> Verdict:
    if status == 429:  # noqa: PLR2004
        return Verdict.BUSY
    if status in (408, 409, 423, 425) or status >= 500:  # noqa: PLR2004
        return Verdict.TRANSIENT
    if status in (401, 402, 403, 404, 405, 407) or status < 400:  # noqa: PLR2004
        return Verdict.ACCOUNT
    return Verdict.PERMANENT


def _reason(status: int, code: str | None, text: str | None) -> str:
    """`HTTP 400, 21211: Invalid 'To' Phone Number`."""
    where = f"HTTP {status}" + (f", {code}" if code else "")
    said = " ".join((text or "").split())[:_LONGEST]
    return f"{where}: {said}" if said else where
