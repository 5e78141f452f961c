"""Which tags are to blame for a page that is not balanced."""

import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.templates.balance import Edge, unmatched

edges = st.lists(st.builds(Edge, st.sampled_from("abc"), is_end=st.booleans()), max_size=30)


def page(text: str) -> list[Edge]:
    """`a b /b /a` as tags."""
    return [Edge(word.strip("/"), is_end=word.startswith("/")) for word in text.split()]


def is_balanced(tags: Sequence[Edge]) -> bool:
    text = " ".join(f"/{tag.name}" if tag.is_end else tag.name for tag in tags)
    while (shorter := re.sub(r"\b(?<!/)(\w) /\1( |$)", "", text)) != text:
        text = shorter
    return not text.strip()


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("", set()),
        ("a b /b /a", set()),
        ("a b /a", {1}),
        ("a /a /a", {2}),
        ("a b c /c /c /b /a", {4}),
        ("t r d t r d /d /t /r /t /d /r /t", {7}),
        ("t r d p /t /p /d /r /t", {4}),
        ("u l l /u", {1, 2}),
    ],
)
def test_the_fewest_are_blamed(text: str, places: set[int]) -> None:
    found = unmatched(page(text))

    assert len(found) == len(places)
    assert is_balanced([one for place, one in enumerate(page(text)) if place not in found])


def test_one_mistake_deep_inside_blames_nothing_around_it() -> None:
    assert unmatched(page("a b c d x /d /c /b /a")) == {4}


@given(edges)
def test_without_those_that_are_blamed_a_page_is_balanced(tags: list[Edge]) -> None:
    blamed = unmatched(tags)

    assert is_balanced([tag for place, tag in enumerate(tags) if place not in blamed])


def test_a_page_that_is_one_great_mistake_is_answered_at_once() -> None:
    assert len(unmatched(page("a " * 5_000))) == 5_000
