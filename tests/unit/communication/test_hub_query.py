"""Which events a hub's query lets through, and what of them (seed 004)."""

from typing import Any

import pytest

from communication.events.told import CREATION, DELETION, DELIVERY, UPDATE
from communication.hubs.query import interest_of

MESSAGE = {"id": "m1", "href": "/m1", "status": "Failed", "receiver": [{"email": "a@b.c"}]}
HEARD = "ServiceOrderStateChangeNotification"
KNOWN = {CREATION, UPDATE, DELETION, DELIVERY, HEARD}


def event(event_type: str) -> dict[str, Any]:
    common = {"eventType": event_type, "eventTime": "2026-11-21T08:00:00.000Z", "eventId": "e1"}
    if event_type == HEARD:
        return {**common, "event": {"id": "7", "state": "completed"}}
    if event_type == CREATION:
        return {**common, "event": {"CommunicationMessage": [MESSAGE]}}
    return {**common, "CommunicationMessage": MESSAGE}


def hears(query: str, event_type: str = UPDATE) -> bool:
    return interest_of(query).hears(event_type, "e1", event(event_type))


@pytest.mark.parametrize(
    ("query", "types"),
    [
        ("", {CREATION, UPDATE, DELETION}),
        ("event.CommunicationMessage.status=Failed", {CREATION, UPDATE, DELETION}),
        (f"eventType={UPDATE},{DELIVERY}", {UPDATE, DELIVERY}),
        (f" eventType = {UPDATE};{DELIVERY} & eventId = e1 ", {UPDATE, DELIVERY}),
        ("eventType=SomethingNew", {"SomethingNew"}),
        (f" ?eventType={DELIVERY}", {DELIVERY}),
        ("eventType.regex=State", {HEARD}),
        (f"eventType.ne={HEARD}", {CREATION, UPDATE, DELETION, DELIVERY}),
        (f"eventType={UPDATE};eventId=e1", KNOWN),
        ("fields=eventId", {CREATION, UPDATE, DELETION}),
    ],
)
def test_a_hub_hears_the_types_it_names_or_the_three_of_the_seed(
    query: str, types: set[str]
) -> None:
    wanted = interest_of(query).types(KNOWN)
    assert wanted & (KNOWN | types) == types
    assert {one for one in KNOWN if hears(query, one)} == types & KNOWN


@pytest.mark.parametrize("event_type", [CREATION, UPDATE, DELETION])
@pytest.mark.parametrize(
    "path",
    [
        "event.CommunicationMessage.status",
        "event.communicationMessage.status",
        "CommunicationMessage.status",
    ],
)
def test_the_message_is_found_wherever_the_seed_puts_it(path: str, event_type: str) -> None:
    assert hears(f"{path}=Failed", event_type)
    assert not hears(f"{path}=Completed", event_type)


def test_conditions_reach_into_events_that_were_heard() -> None:
    assert hears(f"eventType={HEARD}&event.state=completed", HEARD)
    assert not hears(f"eventType={HEARD}&event.state=failed", HEARD)


def test_times_of_events_are_moments() -> None:
    assert hears("eventTime.gt=2026-11-21T08:30:00%2B01:00")
    assert not hears("eventTime.gt=2026-11-21T08:00:00Z")


def test_what_is_no_message_is_not_made_one() -> None:
    collected = {"id": "c1", "event_type": "FAULT", "event": "text"}
    assert interest_of("eventType=FAULT").hears("FAULT", "c1", collected)
    assert interest_of("eventType=FAULT&eventId=c1").hears("FAULT", "c1", collected)
    assert interest_of("eventType=FAULT&fields=event.a").shown(collected) == {"id": "c1"}


@pytest.mark.parametrize("path", ["CommunicationMessage", "event.communicationMessage"])
def test_fields_choose_and_keep_what_tells_events_apart(path: str) -> None:
    interest = interest_of(f"fields={path}.status,{path}.receiver.email,nothing")
    part = {"id": "m1", "href": "/m1", "status": "Failed", "receiver": [{"email": "a@b.c"}]}
    head = {"eventType": UPDATE, "eventTime": "2026-11-21T08:00:00.000Z", "eventId": "e1"}

    assert interest.shown(event(UPDATE)) == {**head, "CommunicationMessage": part}
    assert interest.shown(event(CREATION)) == {
        **head,
        "eventType": CREATION,
        "event": {"CommunicationMessage": [part]},
    }


def test_without_fields_an_event_is_whole() -> None:
    assert interest_of("eventId=e1").shown(event(UPDATE)) == event(UPDATE)
