"""Messages from the wire: each kind of fault is named as the client wrote it."""

from dataclasses import replace
from typing import Any

import pytest

from communication.errors import InvalidField, MissingField
from communication.wire.fields import Fields
from communication.wire.message import MESSAGE_FIELDS, read_message
from tests.wire_messages import EMAIL, RULES, SMS, fault, read


@pytest.mark.parametrize("name", ["type", "content", "subject", "receiver"])
def test_a_required_attribute_that_is_missing_is_named(name: str) -> None:
    error = fault({key: value for key, value in EMAIL.items() if key != name})
    assert isinstance(error, MissingField)
    assert error.field == name


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"type": "Fax"}, "type"),
        ({"type": 1}, "type"),
        ({"id": "a b"}, "id"),
        ({"id": "send"}, "id"),
        ({"id": ".."}, "id"),
        ({"id": "x" * 129}, "id"),
        ({"id": 7}, "id"),
        ({"Subject": "Other"}, "Subject"),
        ({"subject": " "}, "subject"),
        ({"subject": "x" * 1_000_000}, "subject"),
        ({"subject": ["a"]}, "subject"),
        ({"content": 5}, "content"),
        ({"content": " \n"}, "content"),
        ({"template": "welcome"}, "template"),
        ({"content": None, "template": "unheard-of"}, "template"),
        ({"content": None, "template": "../etc"}, "template"),
        ({"locale": "not a tag"}, "locale"),
        ({"description": {}}, "description"),
        ({"priority": 10}, "priority"),
        ({"priority": "-1"}, "priority"),
        ({"priority": True}, "priority"),
        ({"priority": 1.5}, "priority"),
        ({"tryTimes": 101}, "tryTimes"),
        ({"tryTimes": "many"}, "tryTimes"),
        ({"contactLogFlag": "perhaps"}, "contactLogFlag"),
        ({"callbackFlag": 1}, "callbackFlag"),
        ({"sendTime": "2026-11-21T08:00:00"}, "sendTime"),
        ({"sendTime": "soon"}, "sendTime"),
        ({"sendTime": 1}, "sendTime"),
        ({"sendTime": "0001-01-01T00:00:00+14:00"}, "sendTime"),
        ({"sendTime": "9999-12-31T23:59:59Z"}, "sendTime"),
        ({"sender": 5}, "sender"),
        ({"sender": "x" * 513}, "sender"),
        ({" sender": {"email": 5}}, " sender.email"),
        ({"receiver": {}}, "receiver"),
        ({"receiver": []}, "receiver"),
        ({"receiver": [{"email": "a@b"}] * 4}, "receiver"),
        ({"receiver": ["a@b"]}, "receiver[0]"),
        (
            {"Receiver": [{"email": "a@b"}, {"Email": "a b@c"}], "receiver": None},
            "Receiver[1].Email",
        ),
        ({"receiver": [{"email": "a@b"}, {"Email": "a b@c"}]}, "receiver[1].Email"),
        ({"receiver": [{"email": "a@b@c"}]}, "receiver[0].email"),
        ({"receiver": [{"email": "a@b..c"}]}, "receiver[0].email"),
        ({"receiver": [{"email": "a(b)@c.se"}]}, "receiver[0].email"),
        ({"sender": {"email": "x@y\r\nBcc: z@y"}}, "sender.email"),
        ({"sender": {"email": "=?utf-8?q?x=0D=0ABcc:_z?=@y"}}, "sender.email"),
        ({"receiver": [{"email": '"=?utf-8?b?eA0K?="@b'}]}, "receiver[0].email"),
        ({"receiver": [{"email": "a@b\nBcc:c@d"}]}, "receiver[0].email"),
        ({"receiver": [{"email": "x" * 319 + "@b"}]}, "receiver[0].email"),
        ({"receiver": [{"email": "a@b", "name": "x" * 513}]}, "receiver[0].name"),
        ({"receiver": [{"email": "a@b", "ip": "1.2.3"}]}, "receiver[0].ip"),
        ({"receiver": [{"email": "a@b", "id": 5}]}, "receiver[0].id"),
        ({"receiver": [{"email": "a@b", "appUserId": " "}]}, "receiver[0].appUserId"),
        (
            {
                "receiver": [
                    {"email": "a@b", "relatedParty": [{"validFor": {"startDateTime": "x"}}]}
                ]
            },
            "receiver[0].relatedParty.validFor.startDateTime",
        ),
        (
            {
                "receiver": [
                    {"email": "a@b", "characteristic": [{"name": "A", "value": 1}, {"value": 1}]}
                ]
            },
            "receiver[0].characteristic[1].name",
        ),
        ({"characteristic": [{"name": "A"}]}, "characteristic[0].value"),
        ({"characteristic": [{"name": "$", "value": 1}]}, "characteristic[0].name"),
        (
            {"characteristic": [{"name": "A", "value": 1}, {"Name": "$A", "value": 2}]},
            "characteristic[1].name",
        ),
        ({"content": "Dear $Name"}, "content"),
        ({"subject": "For $Name"}, "subject"),
        ({"attachment": [{}]}, "attachment[0].path"),
        ({"attachment": [{"path": "/../etc/passwd"}]}, "attachment[0].path"),
        ({"attachment": [{"path": "a\\b"}]}, "attachment[0].path"),
        ({"attachment": [{"path": "a\nb"}]}, "attachment[0].path"),
        ({"attachment": [{"path": "/"}]}, "attachment[0].path"),
        ({"attachment": [{"URL": "file:///etc/passwd"}]}, "attachment[0].URL"),
        ({"attachment": [{"url": "http://0x7f.1/"}]}, "attachment[0].url"),
        ({"attachment": [{"url": "http://db.localhost/"}]}, "attachment[0].url"),
        ({"attachment": [{"path": "a"}, {"url": "http://[fd12::1]/"}]}, "attachment[1].url"),
        ({"attachment": [{"content": "AAAA"}]}, "attachment[0].mimeType"),
        ({"attachment": [{"content": "é", "mimeType": "text/plain"}]}, "attachment[0].content"),
        ({"attachment": [{"content": "AAAA", "mimeType": "text"}]}, "attachment[0].mimeType"),
        ({"attachment": [{"path": "a", "size": "big"}]}, "attachment[0].size"),
        ({"attachment": [{"path": "a", "size": -1}]}, "attachment[0].size"),
        (
            {
                "attachment": [
                    {
                        "path": "a",
                        "validFor": {
                            "startDateTime": "2026-11-22T00:00:00Z",
                            "endDateTime": "2026-11-21T00:00:00Z",
                        },
                    }
                ]
            },
            "attachment[0].validFor.endDateTime",
        ),
    ],
    ids=str,
)
def test_a_fault_is_named_as_the_client_wrote_it(change: dict[str, Any], field: str) -> None:
    body = EMAIL | change
    error = fault({key: value for key, value in body.items() if value is not None})
    assert error.field == field


def test_what_can_be_no_phone_number_is_refused_by_its_place() -> None:
    error = fault(SMS | {"receiver": [{"phoneNumber": "+46701234567"}, {"phoneNumber": "abc"}]})
    assert (type(error), error.field) == (InvalidField, "receiver[1].phoneNumber")


def test_a_national_number_is_of_the_region_of_the_settings() -> None:
    given = SMS | {"receiver": [{"phoneNumber": "070-123 45 67"}]}
    rules = replace(RULES, phone_region="SE")
    draft = read_message(Fields.of(given, MESSAGE_FIELDS), rules, tenant="default")
    assert draft.receivers[0].phone == "+46701234567"
    assert "has no country code" in fault(given).message


@pytest.mark.parametrize(
    "url", ["http://example.org", "https://a b", "x", 5, "https://a>\r\nBcc: x"]
)
def test_a_url_to_unsubscribe_by_is_checked_where_it_stands(url: object) -> None:
    own = [{"name": "Name", "value": 1}, {"name": "unsubscribeUrl", "value": url}]
    receivers = [{"email": "a@b"}, {"email": "a@c", "characteristic": own}]
    error = fault(EMAIL | {"receiver": receivers})
    assert error.field == "receiver[1].characteristic[1].value"
    error = fault(EMAIL | {"characteristic": own})
    assert error.field == "characteristic[1].value"
    assert read(SMS | {"characteristic": own}).channel == "sms"


def test_a_receiver_without_the_needed_address_is_named() -> None:
    error = fault(EMAIL | {"receiver": [{"email": "a@b"}, {"phoneNumber": "+46701234567"}]})
    assert (type(error), error.field) == (MissingField, "receiver[1].email")


def test_the_receiver_that_lacks_a_characteristic_is_named() -> None:
    one = {"email": "a@b", "characteristic": [{"name": "Name", "value": "Ada"}]}
    other = {"email": "a@c", "characteristic": [{"name": "Other", "value": "Ada"}]}
    error = fault(EMAIL | {"content": "Dear $Name", "receiver": [one, other]})
    assert "$Name" in error.message
    assert "receiver[1]" in error.message
