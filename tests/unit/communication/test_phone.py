import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from communication.wire.phone import is_region, phone_number


@pytest.mark.parametrize(
    ("text", "region", "stored"),
    [
        ("008613811112222", "", "+8613811112222"),  # seed 004's own
        ("+46 (70) 123-45 67", "", "+46701234567"),
        ("+46 (0)70 123 45 67", "", "+46701234567"),
        ("\uff0b46 70 123 45 67", "", "+46701234567"),
        ("+390612345678", "", "+390612345678"),
        ("+1 (212) 555-0123", "", "+12125550123"),
        ("+883510012345678", "", "+883510012345678"),
        ("0701234567", "SE", "+46701234567"),
        ("46701234567", "SE", "+46701234567"),
        ("(212) 555-0123", "US", "+12125550123"),
        ("72345", "", "72345"),
        ("72345", "SE", "72345"),
        ("298123", "FO", "+298298123"),
        ("07700 900003", "", "+447700900003"),
        ("07700900003", "GB", "+447700900003"),
    ],
)
def test_a_number_has_one_form(text: str, region: str, stored: str) -> None:
    assert phone_number(text, region) == stored
    assert phone_number(stored, region) == stored


@pytest.mark.parametrize(
    "text",
    [
        *("", "+", "12", "1" * 16, "abc", "+46+70", "١٢٣٤٥", "+1", "+1 212", "0", "+\0", "tel:+1"),
        *("+999123456789", "+46701234567 ext. 5", "+1-800-FLOWERS", "+467012345678901"),
        "0701234567",
    ],
)
def test_what_can_be_nobodys_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"write it|must be a phone number"):
        phone_number(text)


def test_a_number_without_its_country_is_told_from_one_of_wrong_length() -> None:
    with pytest.raises(ValueError, match="has no country code"):
        phone_number("0701234567")
    with pytest.raises(ValueError, match="has not the length"):
        phone_number("070123456789012", "SE")


CODES = st.sampled_from(sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE))


@given(CODES, st.from_regex(r"[0-9]{3,13}", fullmatch=True))
def test_the_quick_way_gives_what_parsing_gives(code: int, national: str) -> None:
    text = f"+{code}{national}"
    try:
        found = phone_number(text)
    except ValueError:
        found = None
    number = phonenumbers.parse(text)
    reason = phonenumbers.is_possible_number_with_reason(number)
    possible = reason == phonenumbers.ValidationResult.IS_POSSIBLE
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    assert found == (e164 if possible else None)


@given(st.text())
def test_no_text_becomes_anything_but_digits(text: str) -> None:
    try:
        found = phone_number(text, "SE")
    except ValueError:
        return
    assert found.removeprefix("+").isascii()
    assert found.removeprefix("+").isdigit()


def test_regions_are_those_that_have_numbers() -> None:
    assert is_region("SE")
    assert not is_region("se")
    assert not is_region("XX")
