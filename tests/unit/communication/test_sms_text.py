"""SMS text as operators count it (3GPP TS 23.038)."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from communication.sms_text import SmsSize, beyond_gsm_7, measure, simplify, split

GSM_7 = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = "\f^{}\\[~]|€"
TYPOGRAPHY = "\u2018\u2019\u201c\u201d\u2013\u2014\u2026\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}"
EMOJI = "\N{GRINNING FACE}"

gsm_texts = st.text(st.sampled_from(GSM_7 + EXTENSION), max_size=700)
plain_texts = st.text(st.sampled_from(GSM_7), max_size=700)
any_texts = st.one_of(
    gsm_texts,
    st.text(max_size=400),
    st.text(st.sampled_from("aé€^ąЖ中" + EMOJI + TYPOGRAPHY), max_size=400),
)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("", SmsSize("GSM-7", 0, 0, 1)),
        ("a" * 160, SmsSize("GSM-7", 160, 160, 1)),
        ("a" * 161, SmsSize("GSM-7", 161, 161, 2)),
        ("a" * 306, SmsSize("GSM-7", 306, 306, 2)),
        ("a" * 307, SmsSize("GSM-7", 307, 307, 3)),
        ("€" * 80, SmsSize("GSM-7", 80, 160, 1)),
        ("€" * 81, SmsSize("GSM-7", 81, 162, 2)),
        ("ж" * 70, SmsSize("UCS-2", 70, 70, 1)),
        ("ж" * 71, SmsSize("UCS-2", 71, 71, 2)),
        ("ж" * 134, SmsSize("UCS-2", 134, 134, 2)),
        ("ж" * 135, SmsSize("UCS-2", 135, 135, 3)),
        (EMOJI * 35, SmsSize("UCS-2", 35, 70, 1)),
        (EMOJI * 36, SmsSize("UCS-2", 36, 72, 2)),
    ],
    ids=lambda value: None if isinstance(value, SmsSize) else f"{len(value)}x{value[:1]!a}",
)
def test_texts_are_counted_as_they_are_billed(text: str, size: SmsSize) -> None:
    assert measure(text) == size


@pytest.mark.parametrize("character", GSM_7, ids=ascii)
def test_every_character_of_the_default_alphabet_is_one_septet(character: str) -> None:
    assert measure(character) == SmsSize("GSM-7", 1, 1, 1)


@pytest.mark.parametrize("character", EXTENSION, ids=ascii)
def test_every_character_of_the_extension_is_two_septets(character: str) -> None:
    assert measure(character) == SmsSize("GSM-7", 1, 2, 1)


def test_the_default_alphabet_has_a_character_for_every_septet_but_the_escape() -> None:
    assert len(set(GSM_7)) == 127


@pytest.mark.parametrize("character", "çáíóúÀŁ\u2019\u2013\t`\N{NO-BREAK SPACE}", ids=ascii)
def test_one_other_character_makes_the_whole_text_ucs_2(character: str) -> None:
    assert measure("a" * 70 + character) == SmsSize("UCS-2", 71, 71, 2)


def test_an_escape_is_never_the_last_septet_of_a_segment() -> None:
    text = "a" * 152 + "€" + "b" * 151

    # 305 septets would fit into 2 x 153, were the euro sign parted.
    assert split(text) == ["a" * 152, "€" + "b" * 151]
    assert measure(text + "b") == SmsSize("GSM-7", 305, 306, 3)


def test_a_surrogate_pair_is_never_parted() -> None:
    text = "ж" * 66 + EMOJI + "ж" * 65

    assert split(text) == ["ж" * 66, EMOJI + "ж" * 65]
    assert measure(text + "ж") == SmsSize("UCS-2", 133, 134, 3)


def test_even_half_a_surrogate_pair_is_counted() -> None:
    assert measure("\ud83d") == SmsSize("UCS-2", 1, 1, 1)


@given(any_texts)
def test_the_parts_are_the_text(text: str) -> None:
    parts = split(text)

    assert "".join(parts) == text
    assert len(parts) == measure(text).segments


@given(any_texts)
def test_every_part_fits_and_none_could_have_taken_more(text: str) -> None:
    size, parts = measure(text), split(text)
    room = 153 if size.encoding == "GSM-7" else 67

    def units(part: str) -> int:
        if size.encoding == "GSM-7":
            return len(part) + sum(part.count(one) for one in EXTENSION)
        return len(part.encode("utf-16-be")) // 2

    assert size.units == sum(map(units, parts))
    if len(parts) > 1:
        assert all(units(part) <= room for part in parts)
        for part, following in pairwise(parts):
            assert units(part + following[0]) > room


@given(plain_texts)
def test_a_text_of_the_default_alphabet_needs_no_more_than_its_length_says(text: str) -> None:
    assert measure(text).segments == (1 if len(text) <= 160 else -(-len(text) // 153))


@pytest.mark.parametrize(
    ("typographic", "simple"),
    [
        ("It\u2019s \u201chere\u201d", 'It\'s "here"'),
        ("9\u201317 \u2014 today\u2026", "9-17 - today..."),
        ("1\N{NO-BREAK SPACE}299,00\N{NO-BREAK SPACE}kr", "1 299,00 kr"),
        ("1\N{NARROW NO-BREAK SPACE}299", "1 299"),
        ("3\N{HAIR SPACE}%", "3 %"),
        ("\N{MINUS SIGN}5", "-5"),
        ("one\ttwo", "one two"),
        ("so\N{SOFT HYPHEN}lo\N{ZERO WIDTH SPACE}\N{ZERO WIDTH NO-BREAK SPACE}", "solo"),
        ("\u00bbja\u00ab", '"ja"'),
        ("a\N{COMBINING RING ABOVE}", "å"),
        ("\N{BULLET} milk 2 \N{MULTIPLICATION SIGN} 3", "- milk 2 x 3"),
        ("one\N{LINE SEPARATOR}two", "one\ntwo"),
    ],
)
def test_typographic_characters_get_their_likeness(typographic: str, simple: str) -> None:
    assert simplify(typographic) == simple


@pytest.mark.parametrize(
    "text",
    [
        "plain {€}",
        "Jos\N{LATIN SMALL LETTER E WITH ACUTE}",
        "Jan Łoś\u2019s",
        "naïve \u2013 ja",
        EMOJI,
    ],
)
def test_letters_are_never_replaced_nor_typography_beside_them(text: str) -> None:
    assert simplify(text) == text


def test_a_text_that_would_take_more_segments_stays() -> None:
    assert simplify("…" * 70) == "…" * 70
    assert simplify("…" * 53) == "..." * 53


@given(any_texts)
def test_simplifying_never_costs_more_and_once_is_enough(text: str) -> None:
    simple = simplify(text)

    assert measure(simple).segments <= measure(text).segments
    assert simplify(simple) == simple
    assert simple == text or measure(simple).encoding == "GSM-7"


def test_the_characters_that_cost_are_named_once_each() -> None:
    assert beyond_gsm_7("Łoś\u2019s łoś") == "Łś\u2019ł"
