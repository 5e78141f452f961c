"""Phone numbers in one form, E.164 (ITU-T), by the rules of Google's libphonenumber."""

import re
from dataclasses import dataclass
from functools import lru_cache

import phonenumbers
from phonenumbers import NumberParseException, PhoneMetadata, PhoneNumberFormat, ValidationResult

_NOISE = re.compile(r"[\s().\-/\u2010-\u2015]+")
_NUMBER = re.compile(r"[+\uff0b]?\d{3,17}")
_E164 = re.compile(r"\+[1-9][0-9]{4,14}")
_SHORT_CODE = re.compile(r"[1-9][0-9]{2,5}")
# Ofcom keeps these for fiction; GOV.UK Notify simulates some of them (docs/simulated.md).
_BRITISH_FICTION = re.compile(r"07700900[0-9]{3}")
_BRITAIN = "GB"
_LONGEST_CODE = 3


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a country's numbers look like behind its calling code."""

    code_length: int
    lengths: frozenset[int]
    trunk_prefix: re.Pattern[str] | None
    """What people there dial first and an international number has not."""


def phone_number(text: str, region: str = "") -> str:
    """A phone number as E.164: `+` and digits. A short code (3 to 6 digits) stays as it is.

    A leading 00 is a +. A national number is one of `region` (ISO 3166: `SE`); without a region
    it can't be understood, but for those that Britain keeps for fiction. It must be possible,
    that is have a length that its country's numbers have; it may be nobody's. ValueError says
    what to write instead.
    """
    bare = _NOISE.sub("", text)
    if bare.startswith("00"):
        bare = f"+{bare[2:]}"
    if _E164.fullmatch(bare) and _is_plain(bare):
        return bare
    if not _NUMBER.fullmatch(bare):
        raise ValueError("must be a phone number such as +46701234567")
    home = region or (_BRITAIN if _BRITISH_FICTION.fullmatch(bare) else "")
    number = _parsed(bare, home)
    if number is not None:
        return number
    if _SHORT_CODE.fullmatch(bare):
        return bare
    if not home and bare[0].isdigit():
        raise ValueError("has no country code; write it such as +46701234567")
    raise ValueError("has not the length of a phone number; write it such as +46701234567")


def is_region(text: str) -> bool:
    """Whether it is a region that has phone numbers."""
    return text in phonenumbers.SUPPORTED_REGIONS


def _parsed(text: str, region: str) -> str | None:
    """As E.164; None if no telephone in the world can have it."""
    try:
        number = phonenumbers.parse(text, region or None)
    except NumberParseException:
        return None
    if phonenumbers.is_possible_number_with_reason(number) != ValidationResult.IS_POSSIBLE:
        return None
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def _is_plain(number: str) -> bool:
    """Whether parsing it would give it back: twenty times as fast as to parse it.

    False proves nothing.
    """
    plan = _plan(number[1 : 1 + _LONGEST_CODE])
    if plan is None:
        return False
    national = number[1 + plan.code_length :]
    return len(national) in plan.lengths and not (
        plan.trunk_prefix and plan.trunk_prefix.match(national)
    )


@lru_cache(maxsize=1000)  # all there can be
def _plan(digits: str) -> _Plan | None:
    """Of the calling code that these digits begin with; no code begins another one."""
    for length in range(1, _LONGEST_CODE + 1):
        code = int(digits[:length])
        if code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
            return _plan_of(code, length)
    return None


def _plan_of(code: int, length: int) -> _Plan | None:
    region = phonenumbers.region_code_for_country_code(code)
    metadata = PhoneMetadata.metadata_for_region_or_calling_code(code, region)
    if metadata is None or metadata.general_desc is None:
        return None
    prefix = metadata.national_prefix_for_parsing
    return _Plan(
        length,
        frozenset(metadata.general_desc.possible_length),
        re.compile(prefix) if prefix else None,
    )
