import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from communication.query.pattern import LONGEST, PatternError, found, rewritten


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("order", "Your order 7"),
        ("^Your", "Your order 7"),
        ("7$", "Your order 7"),
        ("Your.order", "Your\norder"),
        (r"\d{1,3}", "Your order 7"),
        (r"[\d.]+", "1.5"),
        (r"[a\]\-]", "]"),
        ("(?i)ÖRDER", "örder"),
        ("(?i)[m-p]RDER", "Order"),
        ("a(b|c)?d", "ad"),
        ("(?:ab){2,}", "ababab"),
        ("a+?", "a"),
        (r"\x41\x{e9}\t", "Aé\t"),
        ("{", "{"),
        ("a{,3}", "a{,3}"),
        (r"\$5 \(net\)", "$5 (net)"),
        ("", "anything"),
    ],
)
def test_a_pattern_is_found_anywhere_in_a_text(pattern: str, text: str) -> None:
    assert found(rewritten(pattern), text)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("order", "Order"),
        ("^order$", "order\n"),
        (r"\d", "٣"),
        (r"\w", "é"),
        ("[^a]", "a"),
        ("(?i)[^a]", "A"),
        (".", ""),
    ],
)
def test_a_pattern_is_not_found_where_it_is_not(pattern: str, text: str) -> None:
    assert not found(rewritten(pattern), text)


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("a" * (LONGEST + 1), "longer than 200"),
        ("(a", "a ( without its )"),
        ("a)", "a ) without its ("),
        ("[a", "ends too early"),
        ("[]", "empty brackets"),
        ("a**", "repetition"),
        ("*", "repetition"),
        ("^*", "repetition"),
        ("a{101}", "repeats"),
        ("a{3,2}", "repeats"),
        ("(a{100}){100}", "too much"),
        ("(" * 10 + ")" * 10, "nested deeper"),
        (r"(a)\1", r"\1"),
        (r"\bword", r"\b"),
        (r"\p{L}", r"\p"),
        (r"\é", r"\é"),
        ("a\\", "not understood"),
        ("(?=a)", "groups"),
        ("(?<name>a)", "groups"),
        ("a(?i)b", "groups"),
        ("[[:alpha:]]", "[: :]"),
        (r"[\D]", "inside brackets"),
        ("[z-a]", "upside down"),
        (r"\x00", "can't hold"),
        (r"\x{d800}", "can't hold"),
        (r"\x{110000}", "can't hold"),
    ],
)
def test_what_engines_differ_in_or_choke_on_is_refused(pattern: str, why: str) -> None:
    with pytest.raises(PatternError, match=re.escape(why)):
        rewritten(pattern)


@given(st.text(alphabet=r"ab(|)[]{}^$*+?.,-\dwsx019:", max_size=20))
def test_any_text_is_a_pattern_or_refused(text: str) -> None:
    try:
        pattern = rewritten(text)
    except PatternError:
        return
    assert found(pattern, "ab") in (True, False)


@given(st.text(max_size=20))
def test_an_escaped_text_is_found_in_itself(text: str) -> None:
    escaped = "".join(f"\\{one}" if not one.isalnum() and one.isascii() else one for one in text)
    assert found(rewritten(escaped), text)
