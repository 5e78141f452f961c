"""Messages from the wire: their canonical form."""

from typing import Any

import pytest

from communication.wire.message import is_message_id
from tests.wire_messages import EMAIL, SMS, read

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


def test_a_senders_address_that_is_null_is_absent() -> None:
    assert read(EMAIL | {"sender": {"name": "Tidings", "email": None}}).document["sender"] == {
        "name": "Tidings"
    }


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


def test_a_template_stands_for_subject_and_content() -> None:
    draft = read({"type": "Email", "template": "welcome", "receiver": EMAIL["receiver"]})
    assert draft.document["template"] == "welcome"


def test_an_sms_needs_no_subject() -> None:
    assert "subject" not in read(SMS).document


def test_a_phone_number_is_stored_in_one_form() -> None:
    given = SMS | {"receiver": [{"phoneNumber": "+46 (0)70-123 45 67"}, {"phoneNumber": "72345"}]}
    assert [one.phone for one in read(given).receivers] == ["+46701234567", "72345"]


def test_a_number_that_is_not_needed_is_kept_as_it_is() -> None:
    given = EMAIL | {"receiver": [{"email": "a@example.org", "phoneNumber": "ask Ann"}]}
    assert read(given).receivers[0].phone == "ask Ann"


def test_a_receivers_own_characteristic_fills_a_placeholder() -> None:
    own = [{"email": "a@b", "characteristic": [{"name": "$Name", "value": "Ada"}]}]
    assert read(EMAIL | {"content": "Dear $Name", "receiver": own}).receivers[0].attributes


def test_a_dollar_that_is_no_placeholder_stands() -> None:
    content = "It costs $5, or $$Name"
    assert read(EMAIL | {"content": content}).document["content"] == content


@pytest.mark.parametrize("text", ["1001", "å-ß.7", "信", "a_b", "hub", "v1"])
def test_what_may_be_a_message_id(text: str) -> None:
    assert is_message_id(text)


@pytest.mark.parametrize("text", ["", ".", "..", "send", "a b", "a/b", "²", "a\u0301", "x" * 129])
def test_what_may_be_no_message_id(text: str) -> None:
    assert not is_message_id(text)
