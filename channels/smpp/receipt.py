"""What an SMSC tells of a message that it took: a delivery receipt, read and normalised.

The text is that of Appendix B of the SMPP v3.4 specification, which each vendor writes in a way
of its own; the optional parameters, where they are there, are to be trusted more.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from channels.base import Receipt, ReceiptState
from channels.smpp.pdu import Delivered, EsmClass, MalformedPdu, Tag, parse_text

STATES: Mapping[str, ReceiptState] = {
    "DELIVRD": ReceiptState.DELIVERED,
    "DELIVERED": ReceiptState.DELIVERED,
    "EXPIRED": ReceiptState.EXPIRED,
    "DELETED": ReceiptState.DELETED,
    "UNDELIV": ReceiptState.UNDELIVERABLE,
    "UNDELIVERED": ReceiptState.UNDELIVERABLE,
    "UNDELIVERABLE": ReceiptState.UNDELIVERABLE,
    "FAILED": ReceiptState.UNDELIVERABLE,
    "REJECTD": ReceiptState.REJECTED,
    "REJECTED": ReceiptState.REJECTED,
    "UNKNOWN": ReceiptState.UNKNOWN,
    "UNKNOWNED": ReceiptState.UNKNOWN,
    "ACCEPTD": ReceiptState.ACCEPTED,
    "ACCEPTED": ReceiptState.ACCEPTED,
    "BUFFERED": ReceiptState.ACCEPTED,
    "BUFFRED": ReceiptState.ACCEPTED,
    "ENROUTE": ReceiptState.ACCEPTED,
    "SCHEDULED": ReceiptState.ACCEPTED,
}
"""By the `stat:` of a receipt's text; another one is taken for UNKNOWN."""

MESSAGE_STATES: Mapping[int, tuple[str, ReceiptState]] = {
    0: ("SCHEDULED", ReceiptState.ACCEPTED),
    1: ("ENROUTE", ReceiptState.ACCEPTED),
    2: ("DELIVRD", ReceiptState.DELIVERED),
    3: ("EXPIRED", ReceiptState.EXPIRED),
    4: ("DELETED", ReceiptState.DELETED),
    5: ("UNDELIV", ReceiptState.UNDELIVERABLE),
    6: ("ACCEPTD", ReceiptState.ACCEPTED),
    7: ("UNKNOWN", ReceiptState.UNKNOWN),
    8: ("REJECTD", ReceiptState.REJECTED),
    9: ("SKIPPED", ReceiptState.UNDELIVERABLE),
}
"""By the parameter message_state (§5.2.28; 0 and 9 are SMPP 5's)."""

_KIND = 0x3C
_FIELD = re.compile(r"(id|stat|err|done date):\s*([^\s]*)", re.IGNORECASE)
_TEXT = re.compile(r"\btext:", re.IGNORECASE)
_DONE = {12: "%y%m%d%H%M%S", 10: "%y%m%d%H%M"}
"""Forms of a time by their digits."""
_UCS_2 = 8
_NETWORK_ERROR = 3
_NO_ERROR = frozenset({"", "0"})


class Ids(StrEnum):
    """How the id in a receipt's text is written, beside that in the answer to the submit."""

    SAME = "same"
    HEX_DECIMAL = "hex-decimal"  # hexadecimal in the answer, decimal in the text
    DECIMAL_HEX = "decimal-hex"  # decimal in the answer, hexadecimal in the text


def canonical(message_id: str, ids: Ids) -> str:
    """The id of an answer, or of receipted_message_id, as references have it."""
    if ids is Ids.HEX_DECIMAL:
        return _decimal(message_id, 16)
    return _decimal(message_id, 10) if ids is Ids.DECIMAL_HEX else message_id


def canonical_of_text(message_id: str, ids: Ids) -> str:
    """The id in a receipt's text as references have it."""
    if ids is Ids.HEX_DECIMAL:
        return _decimal(message_id, 10)
    return _decimal(message_id, 16) if ids is Ids.DECIMAL_HEX else message_id


def is_receipt(delivered: Delivered) -> bool:
    """Whether it tells of a message of ours, not brings one from a phone.

    The text does not count: whoever has a phone can write `id:1 stat:DELIVRD`.
    """
    kind = delivered.esm_class & _KIND
    told = kind in (EsmClass.RECEIPT, EsmClass.INTERMEDIATE)
    return told or Tag.RECEIPTED_MESSAGE_ID in delivered.tlvs


def parse_receipt(delivered: Delivered, provider: str, ids: Ids, zone: ZoneInfo | None) -> Receipt:
    """The receipt. MalformedPdu if it names no message or no state.

    Its time is known only where the `zone` of the SMSC's clock is.
    """
    fields = _fields(delivered)
    stat, state = _state(fields, delivered)
    if delivered.esm_class & _KIND == EsmClass.INTERMEDIATE:
        state = ReceiptState.ACCEPTED
    return Receipt(
        provider=provider,
        reference=_reference(fields, delivered, ids),
        state=state,
        reason=_reason(stat, state, fields, delivered),
        at=_done(fields.get("done date", ""), zone) if zone else None,
    )


def _fields(delivered: Delivered) -> dict[str, str]:
    """Those of the text, but for what stands in the message that it quotes."""
    coding = "utf-16-be" if delivered.data_coding == _UCS_2 else "latin-1"
    text = delivered.message.decode(coding, "replace")
    own = _TEXT.split(text, maxsplit=1)[0]
    return {name.lower(): value for name, value in reversed(_FIELD.findall(own))}


def _reference(fields: Mapping[str, str], delivered: Delivered, ids: Ids) -> str:
    by_parameter = parse_text(delivered.tlvs.get(Tag.RECEIPTED_MESSAGE_ID, b""))
    if by_parameter:
        return canonical(by_parameter, ids)
    if not fields.get("id"):
        raise MalformedPdu("a receipt without a message id")
    return canonical_of_text(fields["id"], ids)


def _state(fields: Mapping[str, str], delivered: Delivered) -> tuple[str, ReceiptState]:
    number = delivered.tlvs.get(Tag.MESSAGE_STATE, b"")
    if number and number[0] in MESSAGE_STATES:
        return MESSAGE_STATES[number[0]]
    stat = fields.get("stat", "").upper()
    if not stat:
        raise MalformedPdu("a receipt without a state")
    return stat, STATES.get(stat, ReceiptState.UNKNOWN)


def _reason(
    stat: str, state: ReceiptState, fields: Mapping[str, str], delivered: Delivered
) -> str | None:
    """What the SMSC says beyond success."""
    if state is ReceiptState.DELIVERED:
        return None
    error = fields.get("err", "").lstrip("0")
    code = delivered.tlvs.get(Tag.NETWORK_ERROR_CODE, b"")
    if error in _NO_ERROR and len(code) == _NETWORK_ERROR:
        error = str(int.from_bytes(code[1:], "big"))
    return stat if error in _NO_ERROR else f"{stat}, error {error}"


def _done(text: str, zone: ZoneInfo) -> datetime | None:
    try:
        local = datetime.strptime(text, _DONE[len(text)])  # noqa: DTZ007  # the zone is given
    except (KeyError, ValueError):
        return None
    return local.replace(tzinfo=zone).astimezone(UTC)


def _decimal(text: str, base: int) -> str:
    """The number in decimal; what is no number stays."""
    try:
        return str(int(text, base))
    except ValueError:
        return text
