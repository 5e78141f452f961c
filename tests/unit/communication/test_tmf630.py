import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from communication.errors import InvalidQueryParameter
from communication.query.conditions import Condition, Kind, Operator
from communication.query.message_vocabulary import message_vocabulary
from communication.query.tmf630 import (
    HIGHEST_LIMIT,
    MOST_CONDITIONS,
    MOST_VALUES,
    Query,
    Sort,
    parse_query_string,
)


def parsed(raw: str) -> Query:
    return parse_query_string(raw, message_vocabulary())


def only(raw: str) -> Condition:
    ((condition,),) = parsed(raw).clauses
    return condition


def test_an_empty_query_asks_for_the_first_hundred_of_all() -> None:
    assert parsed("") == Query(clauses=(), fields=None, sort=(), offset=0, limit=100)


@pytest.mark.parametrize(
    ("raw", "operator"),
    [
        ("priority=3", Operator.EQ),
        ("priority==3", Operator.EQ),
        ("priority.eq=3", Operator.EQ),
        ("priority!=3", Operator.NE),
        ("priority.ne=3", Operator.NE),
        ("priority>3", Operator.GT),
        ("priority%3E3", Operator.GT),
        ("priority.gt=3", Operator.GT),
        ("priority>=3", Operator.GTE),
        ("priority%3E=3", Operator.GTE),
        ("priority%3E%3D3", Operator.GTE),
        ("priority.gte=3", Operator.GTE),
        ("priority%3C3", Operator.LT),
        ("priority.lt=3", Operator.LT),
        ("priority%3C%3D3", Operator.LTE),
        ("priority.lte=3", Operator.LTE),
    ],
)
def test_every_form_of_an_operator_is_understood(raw: str, operator: Operator) -> None:
    assert only(raw) == Condition(
        path=("priority",), operator=operator, kind=Kind.NUMBER, values=("3",)
    )


@pytest.mark.parametrize("sign", ["*=", "%2A%3D", "=~", "%3D~", "%3D%7E", ".regex="])
def test_every_form_of_the_pattern_operator_is_understood(sign: str) -> None:
    assert only(f"subject{sign}^a,b;c") == Condition(
        path=("subject",), operator=Operator.REGEX, kind=Kind.TEXT, values=("^a,b;c",)
    )


@pytest.mark.parametrize(
    ("raw", "values"),
    [
        ("subject=a%3Eb=c", ("a>b=c",)),
        ("subject.eq=~a", ("~a",)),
        ("subject.eq==a", ("=a",)),
        ("subject=a+b%2Bc", ("a b+c",)),
        ("subject=", ("",)),
        ("subject=a,b", ("a,b", "a", "b")),
        ("subject=a;b", ("a;b", "a", "b")),
        ("subject=Doe,%20Jane", ("Doe, Jane", "Doe", "Jane")),
        ("subject=%20a", (" a", "a")),
        ("subject=a&subject=b", ("a", "b")),
        ("subject.gt=a,b", ("a,b",)),
        ("priority=1,%202;3", ("1", "2", "3")),
        ("type=1,email", ("1,email", "SMS", "Email")),
        ("characteristic.name=$A,B", ("A,B", "A", "B")),
        ("receiver.phoneNumber=0046%2070-123%2045%2067", ("+46701234567",)),
    ],
)
def test_values_are_alternatives(raw: str, values: tuple[str, ...]) -> None:
    assert only(raw).values == values


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        ("receiver.email=a", ("receiver", "email")),
        ("characteristic.name=a", ("CommunicationRequestCharacteristic", "name")),
        ("characteristic.Value=a", ("CommunicationRequestCharacteristic", "value")),
        (
            "CommunicationRequestCharacteristic.name=a",
            ("CommunicationRequestCharacteristic", "name"),
        ),
        ("receiver.characteristic.Name=a", ("receiver", "characteristic", "name")),
        ("Subject=a", ("subject",)),
        ("Attachment.URL=a", ("attachment", "url")),
        ("@type=a", ("@type",)),
        ("x.lt.eq=a", ("x", "lt")),
        ("lt=a", ("lt",)),
    ],
)
def test_names_become_those_that_are_stored(raw: str, path: tuple[str, ...]) -> None:
    assert only(raw).path == path


def test_semicolons_separate_alternatives_of_any_attribute() -> None:
    ((first, second),) = parsed("status=Failed;priority%3C2").clauses
    assert (first.path, second.path) == (("status",), ("priority",))


def test_different_names_and_operators_must_all_be_met() -> None:
    assert len(parsed("priority.gt=1&priority.lt=5&status=Failed").clauses) == 3


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        ("priority=high", "priority"),
        ("priority=", "priority"),
        ("priority=1,", "priority"),
        ("priority.gt=1,2", "priority.gt"),
        ("priority=01", "priority"),
        ("priority.regex=1", "priority.regex"),
        ("priority.like=1", "priority.like"),
        ("receiver.email.like=1", "receiver.email.like"),
        ("priority.gt>1", "priority.gt"),
        ("logFlag=yes", "logFlag"),
        ("sendTime=yesterday", "sendTime"),
        ("sendTime.gt=2026-11-21T08:00:00", "sendTime.gt"),
        ("sendTime=0001-01-01T00:00:00%2B02:00", "sendTime"),
        ("subject.regex=(", "subject.regex"),
        ("subject", "subject"),
        ("=a", "=a"),
        ("a..b=1", "a..b"),
        (".gt=1", ".gt"),
        ("a,b=1", "a,b=1"),
        ("subject=%00", "subject=%00"),
        ("subject=%FF", "subject=%FF"),
        ("subject=" + ",".join(map(str, range(MOST_VALUES + 1))), "subject"),
        ("offset=-1", "offset"),
        ("limit=ten", "limit"),
        ("limit=1.5", "limit"),
        ("limit=", "limit"),
        ("limit=1e3", "limit"),
        ("offset=9999999999999999", "offset"),
        ("sort=absent", "sort"),
        ("sort=receiver.email", "sort"),
    ],
)
def test_what_is_not_understood_is_named(raw: str, field: str) -> None:
    with pytest.raises(InvalidQueryParameter) as caught:
        parsed(raw)
    assert caught.value.field == field


def test_the_number_of_conditions_is_bounded() -> None:
    with pytest.raises(InvalidQueryParameter):
        parsed("&".join(f"a{number}=1" for number in range(MOST_CONDITIONS + 1)))


def test_sort_keys_are_read_in_order() -> None:
    assert parsed("sort=-priority,+sendTime&sort=Subject").sort == (
        Sort(path=("priority",), descending=True),
        Sort(path=("sendTime",), descending=False),
        Sort(path=("subject",), descending=False),
    )


def test_a_limit_is_clamped() -> None:
    assert parsed("limit=5000&offset=7") == Query(limit=HIGHEST_LIMIT, offset=7)


def test_fields_are_read_by_their_stored_names() -> None:
    assert parsed("fields=id,characteristic.name,").fields == (
        ("id",),
        ("CommunicationRequestCharacteristic", "name"),
    )


def test_reserved_names_are_no_filters() -> None:
    assert parsed("fields=a&sort=id&offset=1&limit=1").clauses == ()


@given(st.text())
def test_any_text_is_a_query_or_refused(raw: str) -> None:
    _read_or_refuse(raw)


@given(st.text(alphabet="priotysend.gt=<>!*~;,&%3ED +2026-:TZ", max_size=40))
def test_any_text_like_a_query_is_one_or_refused(raw: str) -> None:
    _read_or_refuse(raw)


def _read_or_refuse(raw: str) -> None:
    with contextlib.suppress(InvalidQueryParameter):
        assert parsed(raw).limit <= HIGHEST_LIMIT
