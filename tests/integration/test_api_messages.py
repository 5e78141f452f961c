"""TMF681 v1 messages over HTTP: created, sent, read, listed."""

from typing import Any

import pytest
from falcon import testing
from sqlalchemy import delete, func, select

from communication.clock import now, parse
from communication.events.event_model import STAGED_EVENT
from communication.events.happening import Kind
from communication.model import DELIVERY, DOCUMENT, MESSAGE, RECEIVER, State
from communication.store import Store
from tests.api import MESSAGES, check_error, client
from tests.messages import email, rows
from tests.unit.communication.test_wire import SEED_SAMPLE

FAMILIES = ("", "/communicationMessage/v1", "/tmf-api/communicationManagement/v1")
LATER = "2126-11-21T08:00:00.000Z"


@pytest.fixture
def api(store: Store) -> testing.TestClient:
    return client(store, public_url="https://tidings.example")


def test_a_created_message_is_stored_and_not_sent(api: testing.TestClient, store: Store) -> None:
    result = api.simulate_post(MESSAGES, json=email(2, id="m1"))
    assert result.status_code == 201
    assert result.headers["location"] == "/communicationMessage/m1"
    assert result.json == {
        "id": "m1",
        "href": "https://tidings.example/communicationMessage/v1/communicationMessage/m1",
        "type": "Email",
        "status": "Initial",
        "priority": 4,
        "subject": "Hello",
        "content": "Dear customer",
        "logFlag": True,
        "tryTimes": 3,
        "receiver": [{"email": "receiver-0@example.com"}, {"email": "receiver-1@example.com"}],
    }
    assert rows(store, DELIVERY) == []
    assert [event.kind for event in rows(store, STAGED_EVENT)] == [Kind.CREATED]


def test_a_new_message_is_sent_at_once(api: testing.TestClient, store: Store) -> None:
    before = now()
    result = api.simulate_post(f"{MESSAGES}/send", json=email(2, priority=0))
    assert result.status_code == 200
    assert result.json["status"] == "InProgress"
    assert result.json["deliverySummary"] == {
        "total": 2,
        "pending": 2,
        "delivered": 0,
        "failed": 0,
        "cancelled": 0,
    }
    deliveries = rows(store, DELIVERY)
    assert [(one.state, one.channel, one.priority, one.ordinal) for one in deliveries] == [
        (State.PENDING, "email", 0, 0),
        (State.PENDING, "email", 0, 1),
    ]
    assert all(before <= one.due_at <= now() for one in deliveries)
    assert [event.kind for event in rows(store, STAGED_EVENT)] == [Kind.CREATED]


def test_what_is_answered_is_what_is_read_later(api: testing.TestClient) -> None:
    sent = api.simulate_post(f"{MESSAGES}/send", json=SEED_SAMPLE)
    assert sent.status_code == 200
    read = api.simulate_get(f"{MESSAGES}/1001")
    assert read.status_code == 200
    assert read.json == sent.json


def test_a_send_in_the_future_waits_for_its_time(api: testing.TestClient, store: Store) -> None:
    result = api.simulate_post(f"{MESSAGES}/send", json=email(sendTime=LATER))
    assert (result.status_code, result.json["status"]) == (200, "Initial")
    assert result.json["sendTime"] == LATER
    assert rows(store, DELIVERY)[0].due_at == parse(LATER)


def test_a_stored_message_is_sent_by_its_id(api: testing.TestClient, store: Store) -> None:
    api.simulate_post(MESSAGES, json=email(id="m1"))
    result = api.simulate_post(f"{MESSAGES}/m1/send")
    assert (result.status_code, result.json["status"]) == (200, "InProgress")
    assert rows(store, DELIVERY)[0].send == 1
    changed = rows(store, STAGED_EVENT)[-1]
    seen = {"status": "InProgress", "sendTimeComplete": None}
    assert (changed.kind, changed.changed) == (Kind.CHANGED, seen)


def test_a_message_that_is_being_sent_can_not_be_sent_again(api: testing.TestClient) -> None:
    api.simulate_post(f"{MESSAGES}/send", json=email(id="m1"))
    check_error(api.simulate_post(f"{MESSAGES}/m1/send"), 409, 62)


def test_a_finished_message_can_be_sent_again(api: testing.TestClient, store: Store) -> None:
    api.simulate_post(f"{MESSAGES}/send", json=email(id="m1"))
    api.simulate_patch(f"{MESSAGES}/m1", json={"status": "Cancelled"})
    result = api.simulate_post(f"{MESSAGES}/m1/send", json={})
    assert (result.status_code, result.json["status"]) == (200, "InProgress")
    assert "sendTimeComplete" not in result.json
    assert result.json["deliverySummary"]["pending"] == 1
    assert [one.send for one in rows(store, DELIVERY)] == [1, 2]


def test_sending_by_id_takes_no_body(api: testing.TestClient) -> None:
    api.simulate_post(MESSAGES, json=email(id="m1"))
    check_error(api.simulate_post(f"{MESSAGES}/m1/send", json=email()), 400, 24, "empty")


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("message_id", ["v1", "hub", "communicationMessage", "åäö.信-1"])
def test_every_path_family_serves_every_id(
    api: testing.TestClient, family: str, message_id: str
) -> None:
    base = f"{family}/communicationMessage"
    created = api.simulate_post(f"{base}/", json=email(id=message_id))
    assert created.status_code == 201
    path = created.headers["location"]
    assert path.startswith(f"{base}/")
    assert api.simulate_get(path).json["id"] == message_id
    assert api.simulate_post(f"{path}/send").status_code == 200
    assert api.simulate_get(f"{path}/delivery/").json[0]["send"] == 1
    assert api.simulate_delete(path).status_code == 204
    check_error(api.simulate_get(path), 404, 60)


def test_a_clients_id_is_taken_until_it_is_deleted(api: testing.TestClient, store: Store) -> None:
    assert api.simulate_post(MESSAGES, json=email(id="m1")).status_code == 201
    check_error(api.simulate_post(MESSAGES, json=email(id="m1")), 409, 62, "m1")
    check_error(api.simulate_post(f"{MESSAGES}/send", json=email(id="m1")), 409, 62)
    assert len(rows(store, RECEIVER)) == 1
    assert api.simulate_delete(f"{MESSAGES}/m1").status_code == 204
    check_error(api.simulate_delete(f"{MESSAGES}/m1"), 404, 60)
    assert api.simulate_post(MESSAGES, json=email(id="m1")).status_code == 201


def test_deleting_cancels_what_is_undelivered(api: testing.TestClient, store: Store) -> None:
    api.simulate_post(f"{MESSAGES}/send", json=email(2, id="m1"))
    assert api.simulate_delete(f"{MESSAGES}/m1").status_code == 204
    assert [one.state for one in rows(store, DELIVERY)] == [State.CANCELLED] * 2
    kinds = [event.kind for event in rows(store, STAGED_EVENT)]
    assert kinds == [Kind.CREATED, Kind.ENDED, Kind.ENDED, Kind.DELETED]


@pytest.mark.parametrize("path", ["m1", "m1/send", "m1/delivery"])
def test_a_message_that_is_not_there_is_404(api: testing.TestClient, path: str) -> None:
    send = api.simulate_post if path.endswith("send") else api.simulate_get
    check_error(send(f"{MESSAGES}/{path}"), 404, 60, "m1")


@pytest.mark.parametrize("message_id", ["a b", "a%00", "%FF", "x" * 129, "a;b", "$"])
def test_what_can_be_no_id_is_400(api: testing.TestClient, message_id: str) -> None:
    check_error(api.simulate_get(f"{MESSAGES}/{message_id}"), 400, 20)


def test_fields_selects_and_id_and_href_always_come(api: testing.TestClient) -> None:
    api.simulate_post(MESSAGES, json=email(id="m1"))
    selected = api.simulate_get(f"{MESSAGES}/m1", params={"fields": "status,receiver.email"})
    assert list(selected.json) == ["id", "href", "status", "receiver"]
    assert "receiver" not in api.simulate_get(f"{MESSAGES}/m1", params={"fields": "id"}).json


def test_a_list_is_empty_before_there_is_anything(api: testing.TestClient) -> None:
    result = api.simulate_get(MESSAGES)
    assert (result.status_code, result.json) == (200, [])
    assert result.headers["x-total-count"] == "0"


def test_a_list_has_whole_resources_and_pages(api: testing.TestClient) -> None:
    path = f"{FAMILIES[2]}/communicationMessage"
    for number in range(5):
        api.simulate_post(path, json=email(2, id=f"m{number}", priority=number))
    whole = api.simulate_get(path)
    assert (whole.status_code, len(whole.json)) == (200, 5)
    assert whole.json[0] == api.simulate_get(f"{path}/{whole.json[0]['id']}").json
    part = api.simulate_get(path, params={"limit": 2, "offset": 2, "sort": "priority"})
    assert (part.status_code, [one["id"] for one in part.json]) == (206, ["m2", "m3"])
    assert part.headers["x-total-count"] == "5"
    assert part.headers["x-result-count"] == "2"
    assert f'<{path}?sort=priority&offset=4&limit=2>; rel="next"' in part.headers["link"]


def test_a_list_is_filtered_and_selected(api: testing.TestClient) -> None:
    api.simulate_post(MESSAGES, json=email(id="m1", receiver=[{"email": "ada@example.com"}]))
    api.simulate_post(MESSAGES, json=email(id="m2"))
    query = {"receiver.email": "ada@example.com", "fields": "subject"}
    result = api.simulate_get(MESSAGES, params=query)
    assert [list(one) for one in result.json] == [["id", "href", "subject"]]
    assert result.json[0]["id"] == "m1"


def test_a_list_query_that_is_not_understood_is_400(api: testing.TestClient) -> None:
    check_error(api.simulate_get(MESSAGES, params={"limit": "many"}), 400, 28, "limit")


def test_a_page_of_large_messages_ends_early(
    api: testing.TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.message_list.PAGE_BYTES", 1000)
    for number in range(3):
        api.simulate_post(MESSAGES, json=email(id=f"m{number}", content="x" * 2000))
    result = api.simulate_get(MESSAGES)
    assert (result.status_code, len(result.json)) == (206, 1)
    assert "offset=1" in result.headers["link"]


def test_deliveries_are_listed_by_send_and_state(api: testing.TestClient) -> None:
    receiver = {"id": "r1", "name": "Ada", "email": "ada@example.com"}
    api.simulate_post(f"{MESSAGES}/send", json=email(id="m1", receiver=[receiver]))
    api.simulate_patch(f"{MESSAGES}/m1", json={"status": "Cancelled"})
    api.simulate_post(f"{MESSAGES}/m1/send")
    path = f"{MESSAGES}/m1/delivery"
    both = api.simulate_get(path)
    assert (both.status_code, [one["send"] for one in both.json]) == (200, [1, 2])
    first, second = both.json
    assert first["receiver"] == receiver
    assert (first["state"], first["attempts"], "dueAt" in first) == ("cancelled", 0, False)
    assert first["endedAt"] >= first["createdAt"]
    assert first["orderPath"] == f"/api/2.3.1/orders/{first['id']}"
    assert (second["state"], "endedAt" in second) == ("pending", False)
    assert api.simulate_get(path, params={"state": "pending"}).json == [second]
    assert api.simulate_get(path, params={"send": "1"}).json == [first]
    part = api.simulate_get(path, params={"offset": "1", "limit": "1"})
    assert (part.status_code, part.json) == (206, [second])


@pytest.mark.parametrize("name", ["send", "offset", "limit"])
def test_a_delivery_query_takes_numbers_as_large_as_may_be(
    api: testing.TestClient, name: str
) -> None:
    api.simulate_post(MESSAGES, json=email(id="m1"))
    for path in (f"{MESSAGES}/m1/delivery", *([MESSAGES] if name != "send" else [])):
        largest = api.simulate_get(path, params={name: "999999999"})
        assert largest.status_code in (200, 206)
        check_error(api.simulate_get(path, params={name: "1000000000"}), 400, 28, name)


@pytest.mark.parametrize("query", ["state=lost", "send=x", "limit=-1", "offset=", "colour=red"])
def test_a_delivery_query_that_is_not_understood_is_400(
    api: testing.TestClient, query: str
) -> None:
    api.simulate_post(MESSAGES, json=email(id="m1"))
    result = api.simulate_get(f"{MESSAGES}/m1/delivery", query_string=query)
    check_error(result, 400, 28, query.partition("=")[0])


def test_many_receivers_are_stored_in_their_order(api: testing.TestClient, store: Store) -> None:
    body: dict[str, Any] = email(5000, id="m1")
    sent = api.simulate_post(f"{MESSAGES}/send", json=body)
    assert sent.json["receiver"] == body["receiver"]
    assert api.simulate_get(f"{MESSAGES}/m1").json["receiver"] == body["receiver"]
    with store.read() as connection:
        assert connection.scalar(select(func.count()).select_from(DELIVERY)) == 5000
        assert connection.scalar(select(MESSAGE.c.open_count)) == 5000


def test_a_list_reads_no_more_of_messages_than_it_shows(
    api: testing.TestClient, store: Store
) -> None:
    assert api.simulate_post(MESSAGES, json=email(2, id="m1")).status_code == 201
    shown = api.simulate_get(MESSAGES, query_string="fields=status,receiver.email").json
    with store.write() as connection:
        connection.execute(delete(DOCUMENT))
    listed = api.simulate_get(MESSAGES, query_string="fields=status,receiver.email").json
    assert listed == shown
    assert [set(one) for one in listed] == [{"id", "href", "status", "receiver"}]
