"""Merge patches, and what they may not change."""

from typing import Any

import pytest

from communication.clock import parse
from communication.errors import InvalidField
from communication.model import Status
from communication.wire.fields import Fields
from communication.wire.message import MESSAGE_FIELDS
from communication.wire.patch import asks_to_cancel, merge_patch, patched
from communication.wire.representation import Head

HREF = "http://localhost/communicationMessage/v1/communicationMessage/7"
NOW = parse("2026-11-21T08:00:00.123Z")
HEAD = Head(
    key=1,
    uid="u",
    tenant="default",
    id="7",
    channel="sms",
    priority=4,
    status=Status.COMPLETED,
    send=1,
    send_time=None,
    send_time_complete=NOW,
    receiver_count=1,
    open_count=0,
    created_at=NOW,
    updated_at=NOW,
)


# RFC 7396, appendix A.
@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "b"}, ["c"], ["c"]),
        ({"a": "foo"}, None, None),
        ({"a": "foo"}, "bar", "bar"),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
    ids=str,
)
def test_the_examples_of_rfc_7396(target: Any, patch: Any, result: Any) -> None:
    assert merge_patch(target, patch) == result


def test_a_patch_in_the_seeds_capitals_changes_the_canonical_attributes() -> None:
    patch = Fields.of({"Subject": "new", " sender": {"Name": "B"}}, MESSAGE_FIELDS)
    whole = {"subject": "old", "sender": {"name": "A", "id": "1"}}
    merged = patched(whole, patch)
    assert merged.values == {"subject": "new", "sender": {"name": "B", "id": "1"}}
    assert merged.spelled("subject") == "Subject"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"id": "7", "href": HREF, "sendTimeComplete": "2026-11-21T08:00:00.123Z"},
        {"sendTimeComplete": "2026-11-21T09:00:00.123+01:00", "status": "Completed"},
    ],
)
def test_what_is_repeated_changes_nothing(body: dict[str, Any]) -> None:
    assert not asks_to_cancel(Fields.of(body, MESSAGE_FIELDS), HEAD, HREF)


def test_the_status_cancelled_is_a_wish_to_cancel() -> None:
    assert asks_to_cancel(Fields.of({"status": "Cancelled"}, MESSAGE_FIELDS), HEAD, HREF)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("id", "8"),
        ("id", None),
        ("href", "http://elsewhere/"),
        ("sendTimeComplete", "2026-11-21T08:00:01Z"),
        ("sendTimeComplete", None),
        ("status", "Initial"),
        ("status", None),
        ("status", ["Cancelled"]),
    ],
)
def test_what_may_only_be_repeated_is_refused_otherwise(name: str, value: object) -> None:
    with pytest.raises(InvalidField) as caught:
        asks_to_cancel(Fields.of({name: value}, MESSAGE_FIELDS), HEAD, HREF)
    assert caught.value.field == name
