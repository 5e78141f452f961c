"""PATCH, PUT, cancelling and deleting over HTTP."""

from collections.abc import Mapping
from typing import Any

import pytest
from falcon import testing
from sqlalchemy import update

from communication.clock import now, parse
from communication.events.event_model import STAGED_EVENT
from communication.events.happening import Kind
from communication.model import DELIVERY, MESSAGE, RECEIVER, State, Status
from communication.store import Store
from tests.api import MESSAGES, check_error, client
from tests.messages import email, rows

PATH = f"{MESSAGES}/m1"
LATER = "2126-11-21T08:00:00.000Z"
LATEST = "2127-11-21T08:00:00.000Z"


@pytest.fixture
def api(store: Store) -> testing.TestClient:
    return client(store)


def create(api: testing.TestClient, **attributes: Any) -> dict[str, Any]:
    body: dict[str, Any] = api.simulate_post(MESSAGES, json=email(id="m1", **attributes)).json
    return body


def send(api: testing.TestClient, **attributes: Any) -> dict[str, Any]:
    result = api.simulate_post(f"{MESSAGES}/send", json=email(id="m1", **attributes))
    body: dict[str, Any] = result.json
    return body


def finish(store: Store, status: Status = Status.COMPLETED) -> None:
    """Have the worker's part done."""
    with store.write() as connection:
        connection.execute(
            update(DELIVERY).values(state=State.DELIVERED, due_at=None, ended_at=now(), attempts=1)
        )
        connection.execute(
            update(MESSAGE).values(
                status=status, open_count=0, delivered_count=1, send_time_complete=now()
            )
        )


def change_delivery(store: Store, **values: Any) -> None:
    with store.write() as connection:
        connection.execute(update(DELIVERY).values(values))


def last_event(store: Store) -> tuple[str, Mapping[str, Any] | None]:
    event = rows(store, STAGED_EVENT)[-1]
    return event.kind, event.changed


def test_a_patch_changes_what_it_says_and_keeps_the_rest(
    api: testing.TestClient, store: Store
) -> None:
    before = create(api, description="old", x={"a": 1, "b": 2})
    patch = {"Subject": "New", "description": None, "x": {"b": None, "c": 3}, "priority": "0"}
    result = api.simulate_patch(PATH, json=patch)
    assert result.status_code == 201
    del before["description"]
    assert result.json == before | {"subject": "New", "x": {"a": 1, "c": 3}, "priority": 0}
    assert api.simulate_get(PATH).json == result.json
    kind, changed = last_event(store)
    assert kind == Kind.CHANGED
    seen = {"subject": "New", "description": None, "x": {"a": 1, "c": 3}, "priority": 0}
    assert changed == seen | {"status": "Initial", "sendTimeComplete": None}


def test_the_seeds_sample_patch_is_accepted(api: testing.TestClient) -> None:
    create(api)
    patch = {"lifycycleStatus": "Release", "name": "Gift_On_Birthday"}
    headers = {"Content-Type": "application/merge-patch+json"}
    result = api.simulate_patch(PATH, json=patch, headers=headers)
    assert (result.status_code, result.json["name"]) == (201, "Gift_On_Birthday")


def test_a_patch_that_changes_nothing_is_no_event(api: testing.TestClient, store: Store) -> None:
    whole = create(api)
    assert api.simulate_patch(PATH, json=whole).json == whole
    assert api.simulate_put(PATH, json=whole).json == whole
    assert len(rows(store, STAGED_EVENT)) == 1


def test_one_is_not_true(api: testing.TestClient) -> None:
    create(api, x=1)
    assert api.simulate_patch(PATH, json={"x": True}).json["x"] is True


@pytest.mark.parametrize(
    ("patch", "code", "field"),
    [
        ({"subject": None}, 23, "subject"),
        ({"Receiver": [{"Email": "nobody"}]}, 24, "Receiver[0].Email"),
        ({"content": "$Who"}, 24, "content"),
        ({"type": "SMS"}, 23, "receiver[0].phoneNumber"),
        ({"id": "m2"}, 24, "id"),
        ({"status": "Completed"}, 24, "status"),
        ({"sendTimeComplete": LATER}, 24, "sendTimeComplete"),
        ({"href": "x"}, 24, "href"),
    ],
    ids=str,
)
def test_a_patch_to_something_invalid_changes_nothing(
    api: testing.TestClient, patch: dict[str, Any], code: int, field: str
) -> None:
    whole = create(api)
    check_error(api.simulate_patch(PATH, json=patch), 400, code, f"{field}: ")
    assert api.simulate_get(PATH).json == whole


def test_put_replaces_the_whole(api: testing.TestClient) -> None:
    create(api, description="old", x=1, priority=9)
    result = api.simulate_put(PATH, json=email(subject="New"))
    assert result.status_code == 201
    assert (result.json["subject"], result.json["priority"]) == ("New", 4)
    assert not {"description", "x"} & set(result.json)
    check_error(api.simulate_put(PATH, json={"type": "Email"}), 400, 23, "content")


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_what_is_not_there_can_not_be_changed(api: testing.TestClient, method: str) -> None:
    check_error(api.simulate_request(method, PATH, json=email()), 404, 60)


@pytest.mark.parametrize(
    "state",
    [
        {"lost": 0},
        {"due_at": parse(LATER), "lease": "relay"},
        {"due_at": parse(LATER), "state": State.SENDING, "lease": "worker"},
        {"due_at": parse(LATER), "attempts": 1},
    ],
    ids=["due", "leased", "sending", "tried"],
)
def test_what_is_being_sent_can_not_be_changed(
    api: testing.TestClient, store: Store, state: dict[str, Any]
) -> None:
    whole = send(api)
    change_delivery(store, **state)
    check_error(api.simulate_patch(PATH, json={"subject": "New"}), 409, 62)
    check_error(api.simulate_put(PATH, json=email() | {"subject": "New"}), 409, 62)
    assert api.simulate_patch(PATH, json={"subject": whole["subject"]}).status_code == 201
    assert api.simulate_get(PATH).json == whole


def test_a_finished_message_can_be_changed(api: testing.TestClient, store: Store) -> None:
    send(api)
    finish(store)
    result = api.simulate_patch(PATH, json={"subject": "New"})
    assert (result.status_code, result.json["status"]) == (201, "Completed")


def test_a_scheduled_send_is_moved(api: testing.TestClient, store: Store) -> None:
    send(api, sendTime=LATER)
    result = api.simulate_patch(PATH, json={"sendTime": LATEST, "priority": 9})
    assert (result.json["status"], result.json["sendTime"]) == ("Initial", LATEST)
    delivery = rows(store, DELIVERY)[0]
    assert (delivery.due_at, delivery.priority) == (parse(LATEST), 9)


@pytest.mark.parametrize("moment", ["2026-01-01T00:00:00Z", None])
def test_a_scheduled_send_is_begun_by_a_time_that_has_come(
    api: testing.TestClient, store: Store, moment: str | None
) -> None:
    send(api, sendTime=LATER)
    result = api.simulate_patch(PATH, json={"sendTime": moment})
    assert result.json["status"] == "InProgress"
    assert rows(store, DELIVERY)[0].due_at <= now()
    kind, changed = last_event(store)
    assert kind == Kind.CHANGED
    assert changed is not None
    assert changed["status"] == "InProgress"


def test_a_scheduled_send_goes_to_the_new_receivers(api: testing.TestClient, store: Store) -> None:
    send(api, sendTime=LATER)
    receivers = [{"email": "ada@example.com"}, {"email": "eve@example.com"}]
    result = api.simulate_patch(PATH, json={"receiver": receivers})
    assert result.json["receiver"] == receivers
    assert result.json["deliverySummary"]["pending"] == 2
    stored = rows(store, RECEIVER)
    assert [one.email for one in stored] == ["ada@example.com", "eve@example.com"]
    assert [one.receiver_key for one in rows(store, DELIVERY)] == [one.key for one in stored]


def test_a_scheduled_send_follows_the_type(api: testing.TestClient, store: Store) -> None:
    send(api, sendTime=LATER, receiver=[{"email": "a@b", "phoneNumber": "+46701234567"}])
    assert api.simulate_patch(PATH, json={"type": "SMS"}).json["type"] == "SMS"
    assert rows(store, DELIVERY)[0].channel == "sms"


def test_receivers_that_were_sent_to_are_kept_out_of_sight(
    api: testing.TestClient, store: Store
) -> None:
    send(api)
    finish(store)
    receivers = [{"email": "ada@example.com"}]
    assert api.simulate_patch(PATH, json={"receiver": receivers}).json["receiver"] == receivers
    old, new = rows(store, RECEIVER)
    assert (old.removed_at is not None, new.removed_at) == (True, None)
    told = api.simulate_get(f"{PATH}/delivery").json
    assert told[0]["receiver"]["email"] == "receiver-0@example.com"
    api.simulate_post(f"{PATH}/send")
    assert rows(store, DELIVERY)[-1].receiver_key == new.key


def test_many_new_receivers_are_only_counted_in_the_event(
    api: testing.TestClient, store: Store
) -> None:
    create(api)
    api.simulate_patch(PATH, json={"receiver": email(101)["receiver"]})
    seen = {"receiverCount": 101, "status": "Initial", "sendTimeComplete": None}
    assert last_event(store) == (Kind.CHANGED, seen)


@pytest.mark.parametrize("lease", [None, "relay"])
def test_cancelling_ends_what_no_worker_has(
    api: testing.TestClient, store: Store, lease: str | None
) -> None:
    send(api)
    change_delivery(store, lease=lease)
    result = api.simulate_patch(PATH, json={"status": "Cancelled"})
    assert (result.status_code, result.json["status"]) == (201, "Cancelled")
    assert result.json["deliverySummary"]["cancelled"] == 1
    assert "sendTimeComplete" in result.json
    delivery = rows(store, DELIVERY)[0]
    assert (delivery.state, delivery.due_at, delivery.lease) == (State.CANCELLED, None, None)
    assert delivery.ended_at is not None
    created, ended, changed = rows(store, STAGED_EVENT)
    assert (created.kind, ended.kind, changed.kind) == (Kind.CREATED, Kind.ENDED, Kind.CHANGED)
    assert ended.delivery_key == delivery.key
    assert changed.changed == {
        "status": "Cancelled",
        "sendTimeComplete": result.json["sendTimeComplete"],
    }


def test_cancelling_leaves_to_the_worker_what_it_is_sending(
    api: testing.TestClient, store: Store
) -> None:
    send(api)
    change_delivery(store, state=State.SENDING, lease="worker")
    result = api.simulate_patch(PATH, json={"status": "Cancelled"})
    assert result.json["status"] == "Cancelled"
    assert result.json["deliverySummary"]["pending"] == 1
    assert "sendTimeComplete" not in result.json
    assert rows(store, DELIVERY)[0].state == State.SENDING
    check_error(api.simulate_post(f"{PATH}/send"), 409, 62)


def test_a_message_that_was_never_sent_can_be_cancelled(api: testing.TestClient) -> None:
    create(api)
    assert api.simulate_patch(PATH, json={"status": "Cancelled"}).json["status"] == "Cancelled"
    again = api.simulate_patch(PATH, json={"status": "Cancelled"})
    assert (again.status_code, again.json["status"]) == (201, "Cancelled")


@pytest.mark.parametrize("status", [Status.COMPLETED, Status.FAILED])
def test_what_is_over_can_not_be_cancelled(
    api: testing.TestClient, store: Store, status: Status
) -> None:
    send(api)
    finish(store, status)
    check_error(api.simulate_patch(PATH, json={"status": "Cancelled"}), 409, 62, status)


def test_deleting_a_finished_message_keeps_its_status(
    api: testing.TestClient, store: Store
) -> None:
    send(api)
    finish(store)
    assert api.simulate_delete(PATH).status_code == 204
    tombstone = rows(store, MESSAGE)[0]
    assert (tombstone.status, tombstone.deleted_at is not None) == (Status.COMPLETED, True)
    assert rows(store, DELIVERY)[0].state == State.DELIVERED
    assert api.simulate_get(MESSAGES).json == []
