"""One message as the submit_sm bodies that carry it."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from channels.base import Outbound
from channels.identifiers import digest, plain
from channels.smpp.address import Numbering
from channels.smpp.pdu import EsmClass, Submit, Tag
from communication.errors import PermanentDeliveryError
from communication.sms_text import HEADER, septets, split

GSM_7 = 0
"""The SMSC's default alphabet, which is that of TS 23.038 with one septet to an octet."""
UCS_2 = 8
NO_REFERENCE = 0
"""In place of the tag by which repeats are told."""
_MOST_PARTS = 255
_MOST_OCTETS = 0xFFFF
_RECEIPT_WANTED = 1
_CONCATENATED_8, _CONCATENATED_16 = 0x00, 0x08
_HEADER_16 = HEADER + 1


class Long(StrEnum):
    """How a text that is longer than one SMS goes out."""

    UDH = "udh"  # parts joined by a user data header, their reference of 8 bits
    UDH_16 = "udh16"  # the same with a reference of 16 bits
    SAR = "sar"  # parts joined by the sar_ parameters; the SMSC writes the header
    PAYLOAD = "payload"  # whole, in message_payload; the SMSC parts it


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How one SMSC wants its messages."""

    numbering: Numbering = field(default_factory=Numbering)
    long: Long = Long.UDH
    receipts: bool = True
    validity: float | None = None
    """Seconds for which the SMSC tries; None leaves it to the SMSC."""
    service_type: str = ""
    reference_tag: int = Tag.USER_MESSAGE_REFERENCE
    """Which optional parameter tells a repeat; a vendor's own carries the delivery id as text."""


@dataclass(frozen=True, slots=True)
class _Part:
    message: bytes
    esm_class: int = 0
    tlvs: tuple[tuple[int, bytes], ...] = ()


def submits(outbound: Outbound, style: Style) -> list[bytes]:
    """The bodies in the order of their parts; the same at every try of a delivery.

    PermanentDeliveryError for an address or a length that no SMS can have.
    """
    source = style.numbering.source(outbound.sender)
    destination = style.numbering.destination(outbound.address)
    coding = UCS_2 if septets(outbound.text) is None else GSM_7
    return [
        Submit(
            source=source,
            destination=destination,
            message=part.message,
            data_coding=coding,
            esm_class=part.esm_class,
            service_type=style.service_type.encode("ascii"),
            validity=relative_time(style.validity),
            registered_delivery=_RECEIPT_WANTED if style.receipts else 0,
            tlvs=dict((*_reference(outbound.delivery_id, number, style), *part.tlvs)),
        ).encode()
        for number, part in enumerate(_parts(outbound, style.long), start=1)
    ]


def relative_time(seconds: float | None) -> bytes:
    """A period of at most 30 days as §7.1.1 writes it: `YYMMDDhhmmss000R`; none for None."""
    if seconds is None:
        return b""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    return b"0000%02d%02d%02d%02d000R" % (days, hour, minute, second)


def _parts(outbound: Outbound, long: Long) -> Sequence[_Part]:
    texts = split(outbound.text, _HEADER_16 if long is Long.UDH_16 else HEADER)
    encode = _ucs_2 if septets(outbound.text) is None else _gsm_7
    if len(texts) == 1:
        return [_Part(encode(outbound.text))]
    if long is Long.PAYLOAD:
        return [_payload(encode(outbound.text))]
    if len(texts) > _MOST_PARTS:
        raise PermanentDeliveryError(f"the text is too long: {len(texts)} SMS, at most 255 are one")
    join, reference = _JOINED[long], _number(outbound.delivery_id)
    return [
        join(encode(text), reference, len(texts), number)
        for number, text in enumerate(texts, start=1)
    ]


def _gsm_7(text: str) -> bytes:
    return septets(text) or b""


def _ucs_2(text: str) -> bytes:
    """A surrogate without its other half becomes `?`."""
    return text.encode("utf-16-be", "replace")


def _payload(octets: bytes) -> _Part:
    if len(octets) > _MOST_OCTETS:
        raise PermanentDeliveryError(f"the text is too long: {len(octets)} octets")
    return _Part(b"", tlvs=((Tag.MESSAGE_PAYLOAD, octets),))


def _by_header_8(message: bytes, reference: int, total: int, number: int) -> _Part:
    header = bytes((5, _CONCATENATED_8, 3, reference & 0xFF, total, number))
    return _Part(header + message, EsmClass.USER_DATA_HEADER)


def _by_header_16(message: bytes, reference: int, total: int, number: int) -> _Part:
    header = struct.pack(">BBBHBB", 6, _CONCATENATED_16, 4, reference, total, number)
    return _Part(header + message, EsmClass.USER_DATA_HEADER)


def _by_parameters(message: bytes, reference: int, total: int, number: int) -> _Part:
    return _Part(
        message,
        tlvs=(
            (Tag.SAR_MSG_REF_NUM, struct.pack(">H", reference)),
            (Tag.SAR_TOTAL_SEGMENTS, bytes((total,))),
            (Tag.SAR_SEGMENT_SEQNUM, bytes((number,))),
        ),
    )


_JOINED = {Long.UDH: _by_header_8, Long.UDH_16: _by_header_16, Long.SAR: _by_parameters}


def _reference(delivery_id: str, number: int, style: Style) -> list[tuple[int, bytes]]:
    if style.reference_tag == NO_REFERENCE:
        return []
    if style.reference_tag != Tag.USER_MESSAGE_REFERENCE:
        told = f"{plain(delivery_id)}.{number}"
        return [(style.reference_tag, told.encode("ascii") + b"\0")]
    return [(style.reference_tag, struct.pack(">H", (_number(delivery_id) + number) & 0xFFFF))]


def _number(delivery_id: str) -> int:
    """Of 16 bits, the same at every try."""
    return int(digest(delivery_id, 2), 16)
