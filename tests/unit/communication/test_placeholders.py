"""`$Name` in inline content (seed 004)."""

import html

import pytest

from communication.errors import InvalidField
from communication.wire.placeholders import check, fill, names_in

VALUES = {"Name": "Ann", "Name2": "Bo", "größe": "XL", "_x": "1"}


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("Dear $Name,", "Dear Ann,"),
        ("$Name2 is not $Name and a 2", "Bo is not Ann and a 2"),
        ("$Name$Name", "AnnAnn"),
        ("costs $5 or $ 5 or $", "costs $5 or $ 5 or $"),
        ("$$Name", "$Name"),
        ("$$$Name", "$Ann"),
        ("$größe $_x", "XL 1"),
        ("{{ Name }} ${Name}", "{{ Name }} ${Name}"),
    ],
)
def test_placeholders_are_replaced_and_every_other_dollar_stands(text: str, filled: str) -> None:
    assert fill(text, VALUES) == filled


def test_a_value_is_never_looked_into_again() -> None:
    assert fill("$a", {"a": "$b $$ {{ 7*7 }}", "b": "no"}) == "$b $$ {{ 7*7 }}"


def test_values_are_escaped_as_the_medium_needs() -> None:
    assert fill("<b>$a</b>", {"a": "<script>"}, escape=html.escape) == "<b>&lt;script&gt;</b>"


def test_a_placeholder_without_a_characteristic_is_named() -> None:
    with pytest.raises(InvalidField, match=r"\$Surname has no characteristic") as caught:
        check("content", "Dear $Name $Surname", {"Name"})

    assert caught.value.field == "content"


def test_escaped_dollars_ask_for_nothing() -> None:
    assert names_in("$$Name costs $5") == set()
