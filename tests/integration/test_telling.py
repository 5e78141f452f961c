"""Events in the shapes of seed 004, built of what is stored."""

from sqlalchemy import select

from communication.clock import now, to_wire
from communication.events.event_model import EVENT
from communication.events.happening import Happening, Kind, record
from communication.events.telling import Teller, positions_between
from communication.events.told import CREATION, DELETION, DELIVERY, UPDATE, Told
from communication.messages.changing import remove
from communication.messages.rows import find
from communication.model import State
from communication.store import Store
from tests.api import MESSAGES, client
from tests.events import SETTINGS, end_deliveries, hear, sequencer
from tests.messages import email, store_message

TELLER = Teller(public_url=SETTINGS.public_url, receivers=SETTINGS.event_receivers)


def told(store: Store) -> list[Told]:
    sequencer(store).step()
    with store.read() as connection:
        events = connection.execute(select(EVENT).order_by(EVENT.c.position)).all()
        return TELLER.tell(connection, events)


def test_a_creation_is_told_as_seed_004_shows_it(store: Store) -> None:
    store_message(store, email(id="s1234", note="kept", empty=None), sending=False)

    (created,) = told(store)

    assert created.type == CREATION
    assert created.body.keys() == {"eventType", "eventTime", "eventId", "event"}
    assert created.body["eventType"] == "CommunicationMessageCreationNotification"
    assert created.body["eventTime"] == to_wire(created.at)
    assert created.body["eventId"] == created.id
    (resource,) = created.body["event"]["CommunicationMessage"]
    href = "https://tidings.example/communicationMessage/v1/communicationMessage/s1234"
    assert (resource["id"], resource["href"]) == ("s1234", href)
    assert (resource["status"], resource["subject"], resource["note"]) == (
        "Initial",
        "Hello",
        "kept",
    )
    assert resource["receiver"] == [{"email": "receiver-0@example.com"}]


def test_a_creation_is_told_as_the_message_was_then(store: Store) -> None:
    store_message(store, email())
    end_deliveries(store)

    created = told(store)[0]

    (resource,) = created.body["event"]["CommunicationMessage"]
    assert resource["status"] == "InProgress"
    assert not resource.keys() & {"sendTimeComplete", "deliverySummary"}


def test_an_update_is_told_in_the_seeds_other_shape(store: Store) -> None:
    store_message(store, email(id="s1234"))
    end_deliveries(store)

    update = told(store)[-1]

    assert update.type == UPDATE
    assert update.body.keys() == {"eventType", "eventTime", "eventId", "CommunicationMessage"}
    resource = update.body["CommunicationMessage"]
    assert (resource["id"], resource["status"]) == ("s1234", "Completed")
    assert resource["sendTimeComplete"]


def test_changed_attributes_are_told_as_each_event_saw_them(store: Store) -> None:
    simulated = client(store)
    simulated.simulate_post(MESSAGES, json=email(id="m", description="first"))
    simulated.simulate_patch(f"{MESSAGES}/m", json={"description": "second"})
    simulated.simulate_patch(f"{MESSAGES}/m", json={"description": None})

    created, second, third = told(store)

    assert "description" not in created.body["event"]["CommunicationMessage"][0]
    assert second.body["CommunicationMessage"]["description"] == "second"
    assert "description" not in third.body["CommunicationMessage"]


def test_an_update_tells_how_far_the_message_had_come_then(store: Store) -> None:
    simulated = client(store)
    simulated.simulate_post(MESSAGES, json=email(id="m"))
    simulated.simulate_patch(f"{MESSAGES}/m", json={"description": "second"})
    simulated.simulate_post(f"{MESSAGES}/m/send")
    end_deliveries(store)

    updates = [one.body["CommunicationMessage"] for one in told(store) if one.type == UPDATE]

    assert [one["status"] for one in updates] == ["Initial", "InProgress", "Completed"]
    assert ["sendTimeComplete" in one for one in updates] == [False, False, True]


def test_a_deletion_still_shows_the_resource(store: Store) -> None:
    head = store_message(store, email(id="s1234"), sending=False)
    with store.write() as connection:
        remove(connection, find(connection, "default", "s1234", lock=True), now())

    deleted = told(store)[-1]

    assert deleted.type == DELETION
    assert deleted.message_key == head.key
    resource = deleted.body["CommunicationMessage"]
    assert (resource["id"], resource["subject"]) == ("s1234", "Hello")
    assert resource["receiver"]


def test_a_deliverys_end_is_told_with_its_receiver_and_its_message(store: Store) -> None:
    body = email(id="m") | {"receiver": [{"id": "c-1", "email": "ann@example.com"}]}
    store_message(store, body)
    end_deliveries(store, State.FAILED, "550 no such user")

    ended = next(one for one in told(store) if one.type == DELIVERY)

    assert ended.body["CommunicationMessage"] == {
        "id": "m",
        "href": "https://tidings.example/communicationMessage/v1/communicationMessage/m",
    }
    delivery = ended.body["delivery"]
    assert delivery["receiver"] == {"id": "c-1", "email": "ann@example.com"}
    assert (delivery["state"], delivery["reason"]) == ("failed", "550 no such user")
    assert delivery["orderPath"].endswith(delivery["id"])


def test_what_is_heard_after_a_deliverys_end_is_told_beside_it(store: Store) -> None:
    head = store_message(store, email())
    (ended,) = end_deliveries(store)
    bounce = Happening(
        kind=Kind.CONTRADICTED,
        tenant="default",
        at=now(),
        message_key=head.key,
        delivery_key=ended.delivery_key,
        changed={"state": "undeliverable", "reason": "mailbox full"},
    )
    with store.write() as connection:
        record(connection, [bounce])

    last = told(store)[-1]

    assert last.type == DELIVERY
    assert last.body["delivery"]["state"] == "delivered"
    assert last.body["contradiction"] == {"state": "undeliverable", "reason": "mailbox full"}


def test_a_message_to_many_says_how_many_they_are(store: Store) -> None:
    store_message(store, email(101, id="many"), sending=False)
    store_message(store, email(100, id="few"), sending=False)

    many, few = (one.body["event"]["CommunicationMessage"][0] for one in told(store))

    assert "receiver" not in many
    assert many["receiverCount"] == 101
    assert len(few["receiver"]) == 100
    assert "receiverCount" not in few


def test_what_was_heard_goes_out_as_it_was_heard(store: Store) -> None:
    hear(store, 7)

    (heard,) = told(store)

    assert (heard.type, heard.body) == ("TestNotification", {"number": 7})


def test_a_tenants_events_of_some_types_are_found_again_by_position(store: Store) -> None:
    hear(store, 1)
    hear(store, 2, tenant="other")
    store_message(store, email(), sending=False)
    hear(store, 3, 4)
    everything = told(store)

    def found(types: set[str], after: int = 0, last: int = 9, limit: int = 9) -> list[int]:
        with store.read() as connection:
            positions = positions_between(
                connection, tenant="default", types=types, after=after, last=last, limit=limit
            )
            again = TELLER.at(connection, positions)
        assert again == [one for one in everything if one in again]
        return [one.position for one in again]

    assert found({"TestNotification"}) == [1, 4, 5]
    assert found({"TestNotification", CREATION}) == [1, 3, 4, 5]
    assert found({"TestNotification"}, after=1, last=4) == [4]
    assert found({"TestNotification"}, limit=2) == [1, 4]
    assert found(set()) == []
