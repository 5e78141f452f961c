"""What the feed says of deliveries and of heard orders, on both databases."""

from typing import Any

import pytest

from communication.clock import now
from communication.events.event_model import HEARD_EVENT, ORDER_EVENT
from communication.events.happening import Happening, Kind, record
from communication.events.heard import Heard, hear
from communication.events.heard_order import HEARD_TYPE, heard_order_id
from communication.ids import delivery_id, new_id
from communication.model import State
from communication.store import Store
from tests import events
from tests.api import client
from tests.events import end_deliveries, sequencer
from tests.messages import email, rows, store_message
from worker.outcomes import Outcome

FEED = "/api/2.3.1/orderevents"


def feed(store: Store, **params: str) -> Any:
    answer = client(store).simulate_get(FEED, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json


def orders(store: Store) -> list[dict[str, str]]:
    while sequencer(store).step():
        pass
    return [entry["order"] for entry in feed(store)]


def hear_order(store: Store, order: dict[str, Any], tenant: str = "default") -> None:
    body = {"eventType": HEARD_TYPE, "event": order}
    heard = Heard(event_id=new_id(), type=HEARD_TYPE, order_id=heard_order_id(body), body=body)
    with store.write() as connection:
        hear(connection, tenant, heard, now())


def test_a_delivered_message_is_an_order_that_was_done(store: Store) -> None:
    body = email() | {"receiver": [{"id": "c-1", "email": "ann@example.com"}]}
    head = store_message(store, body)
    order_id = delivery_id(head.uid, 1, 0)
    end_deliveries(store)

    assert orders(store) == [
        {
            "path": f"/api/2.3.1/orders/{order_id}",
            "accessId": "c-1",
            "service": "email",
            "operation": "SEND",
            "state": "DONE_SUCCESS",
            "message": "",
        }
    ]


def test_a_receiver_without_an_id_is_named_by_the_delivery_and_never_by_the_address(
    store: Store,
) -> None:
    head = store_message(store, email())
    end_deliveries(store)

    (order,) = orders(store)

    assert order["accessId"] == delivery_id(head.uid, 1, 0)
    assert "example.com" not in str(order)


def test_a_failed_delivery_says_why_without_personal_data(store: Store) -> None:
    store_message(store, email())
    end_deliveries(store, State.FAILED, "550 5.1.1 <ann@example.com>: no such user")

    (order,) = orders(store)

    assert (order["state"], order["message"]) == ("DONE_FAILED", "address refused")


def test_what_was_cancelled_is_done_as_failed(store: Store) -> None:
    store_message(store, email(id="m"))
    client(store).simulate_delete("/communicationMessage/m")

    (order,) = orders(store)

    assert (order["state"], order["message"]) == ("DONE_FAILED", "cancelled")


def test_an_order_is_received_until_the_feed_tells_that_it_is_done(store: Store) -> None:
    head = store_message(store, email())
    path = f"/api/2.3.1/orders/{delivery_id(head.uid, 1, 0)}"
    api = client(store)

    assert api.simulate_get(path).json["state"] == "RECEIVED"
    end_deliveries(store)
    assert api.simulate_get(path).json["state"] == "RECEIVED"
    (order,) = orders(store)
    assert api.simulate_get(path).json == order


def test_a_second_send_is_another_order(store: Store) -> None:
    store_message(store, email(id="m"))
    end_deliveries(store)
    assert client(store).simulate_post("/communicationMessage/m/send").status_code == 200
    end_deliveries(store)

    assert len({order["path"] for order in orders(store)}) == 2


def test_what_is_said_twice_of_an_order_is_told_once(store: Store) -> None:
    head = store_message(store, email())
    (ended,) = end_deliveries(store)
    assert len(orders(store)) == 1
    _say_again(store, ended, head.key)

    assert len(orders(store)) == 1


def test_a_heard_order_that_is_over_is_told(store: Store) -> None:
    item = {"action": "add", "service": {"name": "BB-100-10"}}
    hear_order(
        store,
        {"id": "7", "externalId": "STTA0001", "state": "completed", "orderItem": [item]},
    )

    assert orders(store) == [
        {
            "path": "/api/2.3.1/orders/7",
            "accessId": "STTA0001",
            "service": "BB-100-10",
            "operation": "add",
            "state": "DONE_SUCCESS",
            "message": "",
        }
    ]
    assert client(store).simulate_get("/api/2.3.1/orders/7").json == orders(store)[0]


@pytest.mark.parametrize("state", ["failed", "partial", "rejected", "cancelled"])
def test_a_heard_order_that_went_wrong_failed(store: Store, state: str) -> None:
    hear_order(
        store, {"id": "a/b ö", "state": state, "orderItem": [{"productOffering": {"id": 5}}]}
    )

    (order,) = orders(store)

    assert (order["state"], order["accessId"], order["service"]) == ("DONE_FAILED", "a/b ö", "5")
    assert order["path"] == "/api/2.3.1/orders/a%2Fb%20%C3%B6"
    assert client(store).simulate_get(order["path"]).json == order


def test_the_first_final_state_of_a_heard_order_wins(store: Store) -> None:
    hear_order(store, {"id": "7", "state": "inProgress"})
    hear_order(store, {"id": "7", "state": "failed"})
    hear_order(store, {"id": "7", "state": "completed"})
    assert [order["state"] for order in orders(store)] == ["DONE_FAILED"]
    hear_order(store, {"id": "7", "state": "completed"})
    hear_order(store, {"id": "7", "state": "completed"}, tenant="other")

    assert [order["state"] for order in orders(store)] == ["DONE_FAILED"]
    assert len(rows(store, ORDER_EVENT)) == 2


@pytest.mark.parametrize(
    "order",
    [
        {},
        "7",
        None,
        {"state": "completed"},
        {"id": "", "state": "completed"},
        {"id": ["7"], "state": "completed"},
        {"id": "7" * 300, "state": "completed"},
        {"id": "7", "state": ["completed"]},
    ],
    ids=str,
)
def test_what_names_no_order_or_no_end_is_no_order_event(store: Store, order: Any) -> None:
    hear_order(store, order)

    assert orders(store) == []


def test_a_heard_order_that_is_not_over_is_received(store: Store) -> None:
    with store.write() as connection:
        connection.execute(
            HEARD_EVENT.insert(),
            {
                "tenant": "default",
                "event_id": "1",
                "order_id": "7",
                "body": {},
                "hash": "",
                "created_at": now(),
            },
        )

    assert client(store).simulate_get("/api/2.3.1/orders/7").json == {
        "path": "/api/2.3.1/orders/7",
        "accessId": "7",
        "service": "",
        "operation": "",
        "state": "RECEIVED",
        "message": "",
    }


def test_other_events_are_no_order_events(store: Store) -> None:
    store_message(store, email(), sending=False)
    events.hear(store, 1)

    assert orders(store) == []


def _say_again(store: Store, ended: Outcome, message_key: int) -> None:
    again = Happening(
        kind=Kind.ENDED,
        tenant="default",
        at=now(),
        message_key=message_key,
        delivery_key=ended.delivery_key,
    )
    with store.write() as connection:
        record(connection, [again])
