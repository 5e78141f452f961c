"""How SMPP names senders and receivers: digits or a name, type of number, numbering plan."""

import re
from dataclasses import dataclass

from channels.base import Sender
from channels.smpp.pdu import Address
from communication.errors import PermanentDeliveryError

_SPACING = re.compile(r"[\s().\-/]")
_INTERNATIONAL = re.compile(r"(?:\+|00)([1-9][0-9]{4,14})")
_DIGITS = re.compile(r"[0-9]{1,20}")
_SHORT_CODE = re.compile(r"[0-9]{2,8}")
_NAME = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 &'()+,./:_\-]{1,11}")
"""An alphanumeric sender (TS 23.040 §9.1.2.5): 11 characters that every alphabet writes alike."""

TonNpi = tuple[int, int]
_INTERNATIONAL_NUMBER: TonNpi = (1, 1)
_NUMBER_AS_DIALLED: TonNpi = (0, 1)
_CODE_OF_THE_NETWORK: TonNpi = (3, 0)
_ALPHANUMERIC: TonNpi = (5, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbering:
    """What the operator of Tidings has set in place of what the shape of an address tells."""

    default_source: str = ""
    only_source: bool = False
    """The messages' own senders are not used."""
    source_ton: int | None = None
    source_npi: int | None = None
    dest_ton: int | None = None
    dest_npi: int | None = None

    def source(self, sender: Sender) -> Address:
        """The sender's number or short code; else its name, if it can be one; else the default.

        Without any the SMSC puts its own. PermanentDeliveryError for a phone that is none.
        """
        own = Sender() if self.only_source else sender
        if own.phone:
            return self._source(own.phone, "the sender's phone number is not valid")
        if own.name and _NAME.fullmatch(own.name):
            return self._source(own.name, "")
        return self._source(self.default_source, "source is not valid")

    def destination(self, phone: str) -> Address:
        """The receiver's number. PermanentDeliveryError if it is none."""
        digits, international = _number(phone, "the receiver's phone number is not valid")
        shape = _INTERNATIONAL_NUMBER if international else _NUMBER_AS_DIALLED
        return _address(digits, shape, self.dest_ton, self.dest_npi)

    def _source(self, text: str, fault: str) -> Address:
        if not text:
            return Address()
        if _NAME.fullmatch(text):
            return _address(text, _ALPHANUMERIC, self.source_ton, self.source_npi)
        digits, international = _number(text, fault)
        if international:
            shape = _INTERNATIONAL_NUMBER
        else:
            shape = _CODE_OF_THE_NETWORK if _SHORT_CODE.fullmatch(digits) else _NUMBER_AS_DIALLED
        return _address(digits, shape, self.source_ton, self.source_npi)


def _number(text: str, fault: str) -> tuple[str, bool]:
    """Its digits, and whether they begin with a country code."""
    compact = _SPACING.sub("", text)
    match = _INTERNATIONAL.fullmatch(compact)
    if match:
        return match[1], True
    if not _DIGITS.fullmatch(compact):
        raise PermanentDeliveryError(fault)
    return compact, False


def _address(digits: str, shape: TonNpi, ton: int | None, npi: int | None) -> Address:
    return Address(
        digits.encode("ascii"),
        shape[0] if ton is None else ton,
        shape[1] if npi is None else npi,
    )
