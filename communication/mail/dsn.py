"""Mails that tell that a mail did not arrive: delivery status notifications (RFC 3464, 6533).

They come from anywhere, so nothing is believed to be well-formed or small: the mail is cut, its
parts are taken apart without recursion into depths, and only headers are parsed.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesHeaderParser
from enum import Enum

LARGEST = 1024 * 1024
"""Octets of a mail that are read: the report comes before the mail that it returns."""
_DEEPEST = 3
_MOST_PARTS = 50
_MOST_RECIPIENTS = 100
_LONGEST_REASON = 500
_STATUS = re.compile(r"\b([245])\.([0-9]{1,3})\.([0-9]{1,3})\b")
_REPORTS = ("message/delivery-status", "message/global-delivery-status")
_RETURNED = (
    *("message/rfc822", "text/rfc822-headers"),
    *("message/global", "message/global-headers"),
)
_ADDRESSED = ("Delivered-To", "X-Original-To", "Envelope-To", "To")
_SPACES = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029]+")
_BLANK_LINE = re.compile(rb"\r?\n[ \t]*\r?\n")


class Severity(Enum):
    """What a report means for the address."""

    HARD = "hard"  # it does not exist, or takes no mail any more
    SOFT = "soft"  # this mail was given up, another one may arrive
    DELAYED = "delayed"  # the server tries on


# Class 5, yet about the mail, its size or the sender rather than about the address.
_NOT_THE_ADDRESS = re.compile(r"5\.(?:2\.[234]|3\.[0-9]+|6\.[0-9]+|7\.[0-9]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounce:
    """What a report says about one recipient."""

    severity: Severity
    status: str
    """RFC 3463: `5.1.1`."""
    reason: str
    """Status and diagnosis on one line."""
    recipients: tuple[str, ...]
    """Original and final recipient, as far as it names them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A delivery status notification."""

    bounces: Sequence[Bounce]
    """Of recipients that something went wrong for."""
    addressed: str
    """Who it was sent to, as its headers and those of the returned mail have it."""
    message_id: str
    """Of the mail that was not delivered; "" if it is not returned."""


def read_report(mail: bytes) -> Report | None:
    """What a mail reports; None if it is no delivery status notification."""
    parts = list(_leaves(mail[:LARGEST], _DEEPEST))
    report = next((part for part in parts if part.get_content_type() in _REPORTS), None)
    if report is None:
        return None
    returned = next((part for part in parts if part.get_content_type() in _RETURNED), None)
    original = _headers(_body(returned)) if returned else Message()
    outer = _headers(mail[:LARGEST])
    addressed = [value for name in _ADDRESSED for value in outer.get_all(name, [])]
    return Report(
        bounces=list(_bounces(_body(report))),
        addressed="\n".join(map(str, [*addressed, *original.get_all("Return-Path", [])])),
        message_id=str(original.get("Message-ID", "")),
    )


def _headers(data: bytes) -> Message:
    return BytesHeaderParser().parsebytes(data)


def _leaves(mail: bytes, deepest: int) -> Iterator[Message]:
    """The parts that have no parts, their bodies unparsed."""
    whole = _headers(mail)
    boundary = whole.get_boundary()
    if whole.get_content_maintype() != "multipart" or not boundary or not deepest:
        yield whole
        return
    mark = re.compile(rb"(?:^|\r?\n)--" + re.escape(boundary.encode("utf-8", "replace")))
    for part in mark.split(mail, _MOST_PARTS)[1:]:
        if part.startswith(b"--"):
            return
        yield from _leaves(part.partition(b"\n")[2], deepest - 1)


def _body(part: Message) -> bytes:
    decoded = part.get_payload(decode=True)
    return decoded if isinstance(decoded, bytes) else b""


def _bounces(report: bytes) -> Iterator[Bounce]:
    """Of its groups of fields those that say that it failed or is late (RFC 3464 §2.3)."""
    for group in _BLANK_LINE.split(report.strip(), _MOST_RECIPIENTS + 1)[: _MOST_RECIPIENTS + 1]:
        fields = _headers(group)
        action = _line(fields, "Action").partition(" ")[0].lower()
        if action not in ("failed", "delayed"):
            continue
        diagnosis = _line(fields, "Diagnostic-Code")
        status = _status(_line(fields, "Status")) or _status(diagnosis) or ""
        recipients = (_line(fields, "Original-Recipient"), _line(fields, "Final-Recipient"))
        yield Bounce(
            severity=Severity.DELAYED if action == "delayed" else _severity(status),
            status=status,
            reason=_reason(status, diagnosis),
            recipients=tuple(_address(one) for one in recipients if one),
        )


def _severity(status: str) -> Severity:
    hard = status.startswith("5.") and not _NOT_THE_ADDRESS.fullmatch(status)
    return Severity.HARD if hard else Severity.SOFT


def _status(text: str) -> str | None:
    match = _STATUS.search(text)
    return match and match[0]


def _reason(status: str, diagnosis: str) -> str:
    text = _typed(diagnosis)
    whole = text if status and status in text else f"{status} {text}"
    return whole.strip()[:_LONGEST_REASON] or "no reason is given"


def _address(field: str) -> str:
    """Of `rfc822; ann@example.org`."""
    return _typed(field).strip("<>")


def _typed(field: str) -> str:
    kind, mark, value = field.partition(";")
    return (value if mark else kind).strip()


def _line(fields: Message, name: str) -> str:
    """A field's value on one line, "" if there is none."""
    value = str(fields.get(name, ""))
    with suppress(LookupError, ValueError):
        value = str(make_header(decode_header(value)))
    return _SPACES.sub(" ", value).strip()
