"""From a stored message to what a channel sends."""

from dataclasses import replace
from typing import Any

from channels.base import Receiver, Sender
from worker.render import Job, characteristics_of, default_sender, render, sender_of


def job(document: dict[str, Any], **characteristics: object) -> Job:
    return Job(
        delivery_key=1,
        message_key=1,
        message_uid="0199",
        message_id="m-1",
        send=2,
        ordinal=3,
        attempts=0,
        channel="email",
        priority=4,
        document=document,
        receiver=Receiver(name="Ann", email="ann@example.com"),
        characteristics=characteristics,
    )


def test_names_are_replaced_in_content_and_subject() -> None:
    document = {"subject": "For $Name", "content": "Dear $Name, $$5 for $Items."}

    outbound = render(
        job(document, Name="Ann", Items=["a", 1]), address="ann@example.com", attachments=()
    )

    assert outbound.subject == "For Ann"
    assert outbound.text == 'Dear Ann, $5 for ["a", 1].'
    assert outbound.html is None
    assert outbound.delivery_id == "0199-2-3"


def test_content_that_is_an_html_page_escapes_its_values() -> None:
    document = {"content": "<!DOCTYPE html><p>$Name</p>", "subject": "$Name"}

    outbound = render(job(document, Name="<b>A</b>"), address="a@example.com", attachments=())

    assert outbound.html == "<!DOCTYPE html><p>&lt;b&gt;A&lt;/b&gt;</p>"
    assert outbound.text == ""
    assert outbound.subject == "<b>A</b>"


def test_only_an_email_can_be_an_html_page() -> None:
    sms = replace(job({"content": "<html>$Name</html>"}, Name="<b>"), channel="sms")

    outbound = render(sms, address="+46701234567", attachments=())

    assert (outbound.text, outbound.html) == ("<html><b></html>", None)


def test_a_receivers_own_characteristics_go_over_the_messages() -> None:
    of_message = [{"name": "Name", "value": "customer"}, {"name": "Shop", "value": "ABC"}]
    of_receiver = [{"name": "Name", "value": "Ann"}]

    assert characteristics_of(of_message, of_receiver) == {"Name": "Ann", "Shop": "ABC"}
    assert characteristics_of(of_message, None)["Name"] == "customer"


def test_the_sender_is_an_object_or_free_text() -> None:
    whole = {"name": "ABC", "email": "abc@example.com", "phoneNumber": 10086}

    assert sender_of(whole) == Sender(name="ABC", email="abc@example.com", phone="10086")
    assert sender_of("ABC Company") == Sender(name="ABC Company")
    assert sender_of("ABC <a@example.com>") == Sender(name="ABC", email="a@example.com")
    assert sender_of("a@example.com") == Sender(email="a@example.com")
    assert sender_of(None) == Sender()


def test_the_default_sender_has_a_name_or_not() -> None:
    assert default_sender("ABC <a@example.com>") == Sender(name="ABC", email="a@example.com")
    assert default_sender("a@example.com") == Sender(email="a@example.com")
