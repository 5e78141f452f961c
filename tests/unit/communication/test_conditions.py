from typing import Any

import pytest

from communication.query.conditions import Kind, matcher, selected
from communication.query.tmf630 import Vocabulary, parse_query_string

VOCABULARY = Vocabulary(
    kinds={
        ("subject",): Kind.TEXT,
        ("priority",): Kind.NUMBER,
        ("logFlag",): Kind.FLAG,
        ("sendTime",): Kind.TIME,
    }
)
MESSAGE: dict[str, Any] = {
    "id": "m1",
    "href": "/m1",
    "subject": "Hello, world",
    "priority": 4,
    "logFlag": True,
    "sendTime": "2026-11-21T08:00:00.000Z",
    "characteristic": [{"name": "A", "value": 10}, {"name": "B", "value": "x"}],
    "party": {"id": "7", "tags": ["red", "blue"], "lt": 1, "none": None},
    "grid": [[{"a": 1, "b": 2}]],
}


def meets(query: str) -> bool:
    return matcher(parse_query_string(query, VOCABULARY).clauses)(MESSAGE)


@pytest.mark.parametrize(
    "query",
    [
        "subject=Hello, world",
        "subject=Hello%2C world",
        "subject=Bye&subject=Hello, world",
        "subject.ne=Hello",
        "subject.regex=^Hel%2Bo",
        "subject*=world$",
        "subject=~world",
        "priority=4",
        "priority=4.0",
        "priority=1,4",
        "priority>3&priority<5",
        "priority%3E%3D4",
        "priority.ne=3,5",
        "logFlag=TRUE",
        "sendTime=2026-11-21T09:00:00+01:00",
        "sendTime=2026-11-21T09:00:00%2B01:00",
        "sendTime>2026-11-21T07:59:59Z;sendTime<2020-01-01T00:00:00Z",
        "characteristic.name=A&characteristic.value=10",
        "characteristic.value.gt=9",
        "characteristic.name=A,B&characteristic.value=x",
        "characteristic.name=C;characteristic.value=x",
        "subject=Bye;characteristic.name=B",
        "party.tags=red",
        "party.tags=green,blue",
        "party.tags.ne=red",
        "party.lt.eq=1",
        "party.id=7",
        "grid.a=1",
        "",
    ],
)
def test_the_message_meets(query: str) -> None:
    assert meets(query)


@pytest.mark.parametrize(
    "query",
    [
        "subject=hello, world",
        "subject.ne=Hello, world",
        "subject.ne=Hello, world&subject.ne=Bye",
        "priority=5",
        "priority!=4",
        "priority<4;priority>4",
        "logFlag=false",
        "sendTime>2026-11-21T08:00:00Z",
        "characteristic.name=A&characteristic.value=x",
        "characteristic=A",
        "party=7",
        "party.id.x=7",
        "party.none=null",
        "party.none.ne=A",
        "party.absent.ne=A",
        "absent=",
    ],
)
def test_the_message_does_not_meet(query: str) -> None:
    assert not meets(query)


def fields(query: str) -> dict[str, Any]:
    wanted = parse_query_string(query, VOCABULARY).fields
    assert wanted is not None
    return selected(MESSAGE, wanted)


def test_fields_select_attributes_and_always_id_and_href() -> None:
    assert fields("fields=subject") == {"id": "m1", "href": "/m1", "subject": "Hello, world"}


def test_fields_select_inside_objects_and_arrays() -> None:
    chosen = fields("fields=party.id,characteristic.name&fields=characteristic.absent")
    assert chosen == {
        "id": "m1",
        "href": "/m1",
        "characteristic": [{"name": "A"}, {"name": "B"}],
        "party": {"id": "7"},
    }


def test_an_attribute_and_a_part_of_it_is_all_of_it() -> None:
    assert fields("fields=party.id,party")["party"] == MESSAGE["party"]


@pytest.mark.parametrize("query", ["fields=absent", "fields=subject.x", "fields=party.tags.x"])
def test_unknown_fields_are_ignored(query: str) -> None:
    assert fields(query) == {"id": "m1", "href": "/m1"}
