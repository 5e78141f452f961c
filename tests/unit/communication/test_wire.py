"""Messages from the wire: the canonical form, and one test for each kind of fault."""

from dataclasses import replace
from typing import Any

import pytest

from communication.catalogue.composition import compose
from communication.catalogue.snapshot import Snapshot
from communication.errors import InvalidField, MissingField, RequestError
from communication.wire.fields import Fields
from communication.wire.message import MESSAGE_FIELDS, Draft, Rules, is_message_id, read_message


class Welcome:
    """Templates, of which there is one."""

    def snapshot(self, name: str, tenant: str) -> Snapshot:
        texts = {"welcome/email.html": "<p>Hello</p>", "welcome/email.subject.txt": "Hello"}
        return compose(
            name, texts if (name, tenant) == ("welcome", "default") else {}, {}, default_locale="en"
        )


RULES = Rules(max_receivers=3, try_times=7, templates=Welcome())
EMAIL: dict[str, Any] = {
    "type": "Email",
    "subject": "Hello",
    "content": "Dear customer",
    "receiver": [{"email": "ada@example.com"}],
}
SMS: dict[str, Any] = {
    "type": "SMS",
    "content": "Dear customer",
    "receiver": [{"phoneNumber": "+46701234567"}],
}
# Seed 004, "Communication Message Creation", made valid JSON.
SEED_SAMPLE: dict[str, Any] = {
    "id": "1001",
    "href": "http://serverlocation:port/communicationMessage/v1/communicationMessage/56445633245",
    "type": "1",
    "priority": "1",
    "subject": "News: the latest promotion for you",
    "sendTime": "2016-12-19 T04:00:00.0Z",
    "sendTimeComplete": "2016-12-19 T05:00:00.0Z",
    "status": "Completed",
    "description": "this is communication message for promotion",
    "content": "Dear $Parameter1, Here is the information of the promotion $Parameter2",
    "@type": "communication",
    "@schemaLocation": "http://serverlocation:port/ communication /schema/ communication.yml",
    "@baseType": "",
    "contactLogFlag": "false",
    "callbackFlag": "true",
    "tryTimes": "3",
    "CommunicationRequestCharacteristic": [
        {"name": "$Parameter1", "value": "Mr. Bush"},
        {"Name": "$Parameter2", "Value": "4G_LTE Discount 30%"},
    ],
    "attachment": [{"path": "/attachedfile/1, /attachedfile/", "name": "File_XYZ_001"}],
    " sender": {"id": "10099", "name": "ABC Company", "phoneNumber": "10086"},
    "receiver": [
        {
            "id": "10234",
            "name": "Customer",
            "phoneNumber": "008613811112222",
            "relatedParty": {
                "id": "991",
                "href": "http://serverlocation:port/partyManagement/individual/1",
                "role": "customer",
                "name": "John Lock",
            },
        }
    ],
}


def read(body: dict[str, Any]) -> Draft:
    return read_message(Fields.of(body, MESSAGE_FIELDS), RULES, tenant="default")


def fault(body: dict[str, Any]) -> RequestError:
    with pytest.raises(RequestError) as caught:
        read(body)
    return caught.value


def test_the_seeds_sample_is_understood() -> None:
    draft = read(SEED_SAMPLE)
    assert (draft.id, draft.channel, draft.priority) == ("1001", "sms", 1)
    assert draft.send_time is not None
    assert draft.send_time.isoformat() == "2016-12-19T04:00:00+00:00"
    assert draft.document == {
        "type": "SMS",
        "priority": 1,
        "subject": "News: the latest promotion for you",
        "content": SEED_SAMPLE["content"],
        "description": "this is communication message for promotion",
        "logFlag": False,
        "callbackFlag": True,
        "tryTimes": 3,
        "CommunicationRequestCharacteristic": [
            {"name": "Parameter1", "value": "Mr. Bush"},
            {"name": "Parameter2", "value": "4G_LTE Discount 30%"},
        ],
        "attachment": [{"path": "/attachedfile/1, /attachedfile/", "name": "File_XYZ_001"}],
        "sender": {"id": "10099", "name": "ABC Company", "phoneNumber": "10086"},
        "@type": "communication",
        "@schemaLocation": "http://serverlocation:port/ communication /schema/ communication.yml",
        "@baseType": "",
    }
    assert draft.receivers[0].phone == "+8613811112222"
    assert draft.receivers[0].attributes == {
        "relatedParty": SEED_SAMPLE["receiver"][0]["relatedParty"]
    }


def test_the_capitals_of_the_seeds_field_table_are_understood() -> None:
    draft = read(
        {
            "Type": "MOBILEAPP",
            "Subject": "S",
            "Content": "C",
            "SendTime": "2026-11-21T08:00:00+02:00",
            "Priority": 0,
            "Sender": {"Name": "Tidings"},
            "Receiver": [{"AppUserId": "u1", "RelatedParty": {"id": "1"}}],
            "Attachment": [{"Path": "a.pdf", "URL": "https://example.com/a.pdf", "Size": 12.5}],
        }
    )
    assert draft.channel == "push"
    assert draft.document["sender"] == {"name": "Tidings"}
    assert draft.document["attachment"] == [
        {"path": "a.pdf", "url": "https://example.com/a.pdf", "size": 12.5}
    ]
    assert draft.receivers[0].app_user_id == "u1"


def test_base64_may_come_in_lines() -> None:
    attachment = {"content": "QUJD\r\nREVG\n", "mimeType": "text/plain"}
    assert read(EMAIL | {"attachment": [attachment]}).document["attachment"] == [attachment]


def test_what_is_left_out_gets_its_default() -> None:
    document = read(EMAIL).document
    assert (document["priority"], document["tryTimes"], document["logFlag"]) == (4, 7, True)


def test_unknown_attributes_are_kept() -> None:
    draft = read(EMAIL | {"name": "Gift", "x": None, "receiver": [{"email": "a@b", "type": "cc"}]})
    assert (draft.document["name"], draft.document["x"]) == ("Gift", None)
    assert draft.receivers[0].attributes == {"type": "cc"}


def test_a_canonical_message_is_its_own_canonical_form() -> None:
    once = read(SEED_SAMPLE)
    receivers = [
        {"id": "10234", "name": "Customer", "phoneNumber": "+8613811112222"}
        | (once.receivers[0].attributes or {})
    ]
    again = read(once.document | {"receiver": receivers})
    assert (again.document, again.receivers) == (once.document, once.receivers)


def test_two_spellings_of_the_same_value_are_one() -> None:
    assert read(EMAIL | {"Subject": "Hello"}).document["subject"] == "Hello"


@pytest.mark.parametrize("name", ["type", "content", "subject", "receiver"])
def test_a_required_attribute_that_is_missing_is_named(name: str) -> None:
    error = fault({key: value for key, value in EMAIL.items() if key != name})
    assert isinstance(error, MissingField)
    assert error.field == name


def test_a_template_stands_for_subject_and_content() -> None:
    draft = read({"type": "Email", "template": "welcome", "receiver": EMAIL["receiver"]})
    assert draft.document["template"] == "welcome"


def test_an_sms_needs_no_subject() -> None:
    assert "subject" not in read(SMS).document


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


def test_a_phone_number_is_stored_in_one_form() -> None:
    given = SMS | {"receiver": [{"phoneNumber": "+46 (0)70-123 45 67"}, {"phoneNumber": "72345"}]}
    assert [one.phone for one in read(given).receivers] == ["+46701234567", "72345"]


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


def test_a_number_that_is_not_needed_is_kept_as_it_is() -> None:
    given = EMAIL | {"receiver": [{"email": "a@example.org", "phoneNumber": "ask Ann"}]}
    assert read(given).receivers[0].phone == "ask Ann"


def test_a_receiver_without_the_needed_address_is_named() -> None:
    error = fault(EMAIL | {"receiver": [{"email": "a@b"}, {"phoneNumber": "+46701234567"}]})
    assert (type(error), error.field) == (MissingField, "receiver[1].email")


def test_a_receivers_own_characteristic_fills_a_placeholder() -> None:
    own = [{"email": "a@b", "characteristic": [{"name": "$Name", "value": "Ada"}]}]
    assert read(EMAIL | {"content": "Dear $Name", "receiver": own}).receivers[0].attributes


def test_the_receiver_that_lacks_a_characteristic_is_named() -> None:
    one = {"email": "a@b", "characteristic": [{"name": "Name", "value": "Ada"}]}
    other = {"email": "a@c", "characteristic": [{"name": "Other", "value": "Ada"}]}
    error = fault(EMAIL | {"content": "Dear $Name", "receiver": [one, other]})
    assert "$Name" in error.message
    assert "receiver[1]" in error.message


def test_a_dollar_that_is_no_placeholder_stands() -> None:
    content = "It costs $5, or $$Name"
    assert read(EMAIL | {"content": content}).document["content"] == content


@pytest.mark.parametrize("text", ["1001", "å-ß.7", "信", "a_b", "hub", "v1"])
def test_what_may_be_a_message_id(text: str) -> None:
    assert is_message_id(text)


@pytest.mark.parametrize("text", ["", ".", "..", "send", "a b", "a/b", "²", "a\u0301", "x" * 129])
def test_what_may_be_no_message_id(text: str) -> None:
    assert not is_message_id(text)
