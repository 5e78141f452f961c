"""The values that a template is tried with."""

from communication.catalogue.characteristic import Characteristic
from tidings.templates.cases import NOBODY, RECEIVER, Case, cases

NAME = Characteristic(name="name", type="string", example="Ann")
STATUS = Characteristic(name="status", type="string", example="sent", allowed=("sent", "late"))
GIFT = Characteristic(name="gift", type="boolean", required=False, example=True)


def tried(*characteristics: Characteristic) -> list[Case]:
    return list(cases({one.name: one for one in characteristics}))


def test_the_examples_come_first_then_what_is_required_alone() -> None:
    assert tried(NAME, GIFT)[:2] == [
        Case("", {"name": "Ann", "gift": True}, RECEIVER),
        Case("without what is optional", {"name": "Ann"}, NOBODY),
    ]


def test_every_other_allowed_value_is_tried_with_and_without_what_is_optional() -> None:
    assert [case.name for case in tried(STATUS, NAME)] == [
        "",
        "without what is optional",
        "with status = late",
        "with status = late, without what is optional",
    ]


def test_flags_are_tried_both_ways() -> None:
    assert [case.values.get("gift") for case in tried(GIFT)] == [True, None, False, None]


def test_without_an_example_the_default_an_allowed_value_or_one_of_the_type_is_tried() -> None:
    (case, *_) = tried(
        Characteristic(name="a", type="string", default="x"),
        Characteristic(name="b", type="string", allowed=("y", "z")),
        Characteristic(name="c", type="date"),
        Characteristic(name="d", type="string"),
    )

    assert case.values == {"a": "x", "b": "y", "c": "2025-04-30", "d": "d"}
