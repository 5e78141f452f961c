"""The PDUs of SMPP 3.4 as octets: what an ESME says and hears. No I/O.

Section numbers are those of the Short Message Peer to Peer Protocol Specification v3.4.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, IntFlag
from typing import Self

HEADER = struct.Struct(">IIII")
_TLV = struct.Struct(">HH")
LONGEST_PDU = 0x1_0400
"""Octets: a whole message_payload (§5.3.2.32) and room around it."""
_VERSION = 0x34
_RESPONSE = 0x8000_0000


class MalformedPdu(Exception):
    """Octets that are no PDU, or one without the fields that it must have."""


class Command(IntEnum):
    """Those of §5.1.2.1 that an ESME may meet."""

    BIND_RECEIVER = 0x01
    BIND_TRANSMITTER = 0x02
    SUBMIT_SM = 0x04
    DELIVER_SM = 0x05
    UNBIND = 0x06
    BIND_TRANSCEIVER = 0x09
    OUTBIND = 0x0B
    ENQUIRE_LINK = 0x15
    ALERT_NOTIFICATION = 0x102
    DATA_SM = 0x103
    GENERIC_NACK = 0x8000_0000

    @property
    def response(self) -> int:
        """What answers it."""
        return self | _RESPONSE


class Tag(IntEnum):
    """Of the optional parameters (§5.3.2) that are read or written here."""

    RECEIPTED_MESSAGE_ID = 0x001E
    USER_MESSAGE_REFERENCE = 0x0204
    SAR_MSG_REF_NUM = 0x020C
    SAR_TOTAL_SEGMENTS = 0x020E
    SAR_SEGMENT_SEQNUM = 0x020F
    NETWORK_ERROR_CODE = 0x0423
    MESSAGE_PAYLOAD = 0x0424
    MESSAGE_STATE = 0x0427


class EsmClass(IntFlag):
    """Of a short message (§5.2.12)."""

    RECEIPT = 0x04
    INTERMEDIATE = 0x20
    USER_DATA_HEADER = 0x40


@dataclass(frozen=True, slots=True)
class Pdu:
    """One PDU. `body` is what follows the header."""

    command: int
    sequence: int
    status: int = 0
    body: bytes = b""

    @property
    def is_response(self) -> bool:
        """Whether it answers a request of ours."""
        return bool(self.command & _RESPONSE)

    def encode(self) -> bytes:
        """The octets that go over the wire."""
        length = HEADER.size + len(self.body)
        return HEADER.pack(length, self.command, self.status, self.sequence) + self.body

    def answer(self, status: int = 0, body: bytes = b"") -> Self:
        """The response to this request."""
        return type(self)(self.command | _RESPONSE, self.sequence, status, body)


class Inbox:
    """Octets as they come, PDUs as they are complete."""

    def __init__(self) -> None:
        self._octets = bytearray()

    def feed(self, octets: bytes) -> list[Pdu]:
        """The PDUs that are complete now. MalformedPdu if what comes next can't be one."""
        self._octets += octets
        complete = []
        while len(self._octets) >= HEADER.size:
            length, command, status, sequence = HEADER.unpack_from(self._octets)
            if not HEADER.size <= length <= LONGEST_PDU:
                raise MalformedPdu(f"a PDU of {length} octets")
            if len(self._octets) < length:
                break
            body = bytes(self._octets[HEADER.size : length])
            del self._octets[:length]
            complete.append(Pdu(command, sequence, status, body))
        return complete


@dataclass(frozen=True, slots=True)
class Address:
    """A number or name with its type of number and numbering plan (§5.2.5, §5.2.6)."""

    digits: bytes = b""
    ton: int = 0
    npi: int = 0

    def encode(self) -> bytes:
        """As three fields."""
        return bytes((self.ton, self.npi)) + self.digits + b"\0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Submit:
    """The body of a submit_sm (§4.4.1). `validity` is a time of §7.1.1 or nothing."""

    source: Address
    destination: Address
    message: bytes
    data_coding: int = 0
    esm_class: int = 0
    service_type: bytes = b""
    validity: bytes = b""
    registered_delivery: int = 0
    tlvs: Mapping[int, bytes] = field(default_factory=dict)

    def encode(self) -> bytes:
        """The octets of the body."""
        return b"".join(
            (
                *(self.service_type, b"\0", self.source.encode(), self.destination.encode()),
                bytes((self.esm_class, 0, 0, 0)),  # protocol_id, priority, no schedule
                *(self.validity, b"\0"),
                # replace_if_present_flag and sm_default_msg_id stand around data_coding.
                bytes((self.registered_delivery, 0, self.data_coding, 0, len(self.message))),
                self.message,
                *(_TLV.pack(tag, len(value)) + value for tag, value in self.tlvs.items()),
            )
        )


def bind_body(system_id: bytes, password: bytes, system_type: bytes) -> bytes:
    """Of bind_transceiver and its like (§4.1): version 3.4, no range of addresses."""
    return b"\0".join((system_id, password, system_type, bytes((_VERSION, 0, 0)))) + b"\0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """What an ESME needs of a deliver_sm (§4.6.1) or data_sm (§4.7.1)."""

    esm_class: int
    data_coding: int
    message: bytes
    tlvs: Mapping[int, bytes]


def parse_delivered(pdu: Pdu) -> Delivered:
    """The fields of a deliver_sm or data_sm. MalformedPdu if they are not all there."""
    fields = _Fields(pdu.body)
    fields.text()  # service_type
    for _ in ("source", "destination"):
        fields.octets(2)
        fields.text()
    if pdu.command == Command.DATA_SM:
        esm_class, _, data_coding = fields.octets(3)
        message = b""
    else:
        esm_class = fields.octets(3)[0]
        fields.text()  # schedule_delivery_time
        fields.text()  # validity_period
        data_coding, _, length = fields.octets(5)[2:]
        message = fields.octets(length)
    tlvs = fields.tlvs()
    message = message or tlvs.get(Tag.MESSAGE_PAYLOAD, b"")
    return Delivered(esm_class=esm_class, data_coding=data_coding, message=message, tlvs=tlvs)


def parse_text(body: bytes) -> str:
    """The first field of a body as text: the message_id of a response, "" where there is none.

    Some SMSCs leave the final NUL away.
    """
    return body.partition(b"\0")[0].decode("latin-1")


class _Fields:
    """The fields of a body, one after the other."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._place = 0

    def octets(self, count: int) -> bytes:
        end = self._place + count
        if end > len(self._body):
            raise MalformedPdu("its fields are cut off")
        taken = self._body[self._place : end]
        self._place = end
        return taken

    def text(self) -> bytes:
        end = self._body.find(b"\0", self._place)
        if end < 0:
            raise MalformedPdu("a text without an end")
        taken = self._body[self._place : end]
        self._place = end + 1
        return taken

    def tlvs(self) -> dict[int, bytes]:
        found = {}
        while self._place < len(self._body):
            tag, length = _TLV.unpack(self.octets(_TLV.size))
            found[tag] = self.octets(length)
        return found
