"""What a message must have for its template, checked before anything is rendered."""

from typing import Any

import pytest

from communication.catalogue.catalogue import BrokenTemplate, Fault, Snapshot, TemplateNotFound
from communication.errors import InvalidField, MissingField, RequestError
from communication.wire.fields import Fields
from communication.wire.message import MESSAGE_FIELDS, Draft, Rules, read_message
from tests.templates import snapshot

DECLARATION = """
[characteristics.Name]
description = "The customer's name."
[characteristics.Count]
type = "integer"
required = false
[characteristics.Size]
required = false
allowed = ["small", "large"]
"""
PROMOTION = snapshot(
    {
        "sms.txt": "{{ Name }}",
        "email.txt": "{{ Name }}",
        "sv/push.txt": "{{ Name }}",
        "template.toml": DECLARATION,
    },
    name="promotion",
)


class Shelf:
    """Templates, one of them good."""

    def snapshot(self, name: str, tenant: str) -> Snapshot:
        if name == "broken":
            raise BrokenTemplate(name, Fault(message="is empty", file="broken/sms.txt", line=1))
        if (name, tenant) != ("promotion", "default"):
            raise TemplateNotFound(name)
        return PROMOTION


def read(**changes: Any) -> Draft:
    body = {
        "type": "SMS",
        "template": "promotion",
        "receiver": [{"phoneNumber": "+46701234567"}],
        "characteristic": [{"name": "$Name", "value": "Ann"}],
    } | changes
    rules = Rules(max_receivers=10, try_times=3, templates=Shelf())
    return read_message(Fields.of(body, MESSAGE_FIELDS), rules, tenant="default")


def refused(**changes: Any) -> RequestError:
    with pytest.raises(RequestError) as caught:
        read(**changes)
    return caught.value


def characteristics(**values: Any) -> list[dict[str, Any]]:
    return [{"name": name, "value": value} for name, value in values.items()]


def receiver(**values: Any) -> dict[str, Any]:
    own = {"characteristic": characteristics(**values)} if values else {}
    return {"phoneNumber": "+46701234567", **own}


def test_a_message_with_all_that_its_template_needs_is_accepted() -> None:
    assert read().document["template"] == "promotion"
    read(characteristic=characteristics(Name="Ann", Count="7", Size="small", More=[1]))
    read(characteristic=None, receiver=[receiver(Name="Ann"), receiver(Name="Bo")])
    read(type="MobileApp", locale="sv", subject="Hi", receiver=[{"appUserId": "a"}])


@pytest.mark.parametrize(
    ("changes", "error", "field", "words"),
    [
        ({"template": "nope"}, InvalidField, "template", ["no template 'nope'"]),
        ({"template": "broken"}, InvalidField, "template", ["broken/sms.txt:1: is empty"]),
        (
            {"type": "MobileApp", "receiver": [{"appUserId": "a"}], "subject": "Hi"},
            InvalidField,
            "template",
            ["'promotion' has no text for push", "it has email, push, sms"],
        ),
        (
            {"type": "Email", "receiver": [{"email": "a@b"}]},
            MissingField,
            "subject",
            ["template 'promotion' gives none"],
        ),
        (
            {"characteristic": None},
            MissingField,
            "characteristic.Name",
            ["template 'promotion' needs the characteristic 'Name' (The customer's name)"],
        ),
        (
            {"characteristic": characteristics(Name=None)},
            MissingField,
            "characteristic.Name",
            ["needs the characteristic 'Name'"],
        ),
        (
            {"characteristic": characteristics(Name="Ann", Count="many")},
            InvalidField,
            "characteristic.Count",
            ["must be a whole number", "template 'promotion'"],
        ),
        (
            {"characteristic": characteristics(Name="Ann", Size="huge")},
            InvalidField,
            "characteristic.Size",
            ["must be one of small, large"],
        ),
        (
            {"characteristic": None, "receiver": [receiver(Name="Ann"), receiver(Count=1)]},
            MissingField,
            "receiver[1].characteristic.Name",
            ["needs the characteristic 'Name'"],
        ),
        (
            {"characteristic": None, "receiver": [receiver(Name="Ann"), receiver()]},
            MissingField,
            "characteristic.Name",
            ["needs the characteristic 'Name'"],
        ),
        (
            {"receiver": [receiver(), receiver(Name=7)]},
            InvalidField,
            "receiver[1].characteristic.Name",
            ["must be text"],
        ),
        ({"locale": "not a tag"}, InvalidField, "locale", []),
        ({"template": "../promotion"}, InvalidField, "template", []),
    ],
)
def test_what_a_template_lacks_is_named(
    changes: dict[str, Any], error: type[RequestError], field: str, words: list[str]
) -> None:
    told = refused(**changes)

    assert (type(told), told.field) == (error, field)
    for word in words:
        assert word in told.message


def test_where_templates_are_not_looked_at_any_will_do() -> None:
    body = {"type": "SMS", "template": "nope", "receiver": [receiver()]}
    rules = Rules(max_receivers=10, try_times=3, templates=None)

    assert (
        read_message(Fields.of(body, MESSAGE_FIELDS), rules, tenant="default").document["template"]
        == "nope"
    )
