"""Key sets that are odd: what can be used of them is, and the rest hurts nobody."""

from typing import Any

import orjson
import pytest

from api.jwks import KeySet
from tests.issuer import Issuer

GOOD = Issuer(kid="good").jwk
ODD = Issuer(kid="odd").jwk


def names(*keys: Any) -> set[str]:
    """Which of the two keys can be used of a set that has these."""
    text = orjson.dumps({"keys": keys})
    found = KeySet(lambda: text, every=60, allowed=frozenset({"ES256"}))
    found.refresh()
    return {name for name in ("good", "odd") if found.find(name, "ES256")}


@pytest.mark.parametrize(
    "change",
    [
        {"key_ops": 5},
        {"key_ops": None},
        {"key_ops": "verify"},
        {"key_ops": ["sign"]},
        {"alg": ["ES256"]},
        {"alg": {"a": 1}},
        {"alg": "ES384"},
        {"use": "enc"},
        {"use": ["sig"]},
        {"kty": ["EC"]},
        {"crv": {"a": 1}},
        {"x": 5},
        {"x": "é"},
        {"x": ODD["y"]},
        {"y": None},
    ],
)
def test_a_key_that_can_not_be_used_leaves_the_others(change: dict[str, Any]) -> None:
    assert names({**ODD, **change}, GOOD) == {"good"}


@pytest.mark.parametrize("change", [{}, {"key_ops": ["verify"]}, {"alg": "ES256"}, {"use": "sig"}])
def test_a_key_that_says_what_it_is_for_is_used(change: dict[str, Any]) -> None:
    assert names({**ODD, **change}, GOOD) == {"good", "odd"}


@pytest.mark.parametrize("other", [None, 5, "key", [], [GOOD]])
def test_what_is_no_key_is_passed_over(other: Any) -> None:
    assert names(other, GOOD) == {"good"}
