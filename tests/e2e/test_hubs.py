"""Hubs, as their clients and listeners see them: events over HTTP, whatever the listener does."""

from collections.abc import Iterator
from threading import Event
from typing import Any

import pytest
from standardwebhooks import Webhook

from communication.events.told import CREATION, DELETION, DELIVERY, UPDATE
from tests.listener import Listener, after, answers, hangs_up, in_turn, listening, until
from tests.running import PATH, Api, Embedded, embedded, sms
from tests.waiting import wait_until

HUB = "/communicationMessage/v1/hub"


@pytest.fixture(scope="module")
def running() -> Iterator[Embedded]:
    with embedded(
        callback_schedule="0.2,0.2,0.2,0.4,0.4" + ",1" * 60,
        callback_timeout=30,
        sms_url="null://",
    ) as started:
        yield started


@pytest.fixture
def api(running: Embedded) -> Iterator[Api]:
    """The API; hubs of the test's are gone at its end."""
    yield running.api
    for hub in running.api.call("GET", HUB).json:
        running.api.call("DELETE", f"{HUB}/{hub['id']}")


def register(api: Api, listener: Listener, query: str | None = None) -> Any:
    answer = api.call("POST", HUB, {"callback": listener.url, "query": query})
    assert answer.status == 201, answer
    return answer.json


def types(listener: Listener) -> list[str]:
    return [one.json["eventType"] for one in listener.heard]


def test_a_listener_hears_the_life_of_a_message_in_the_shapes_of_the_seed(api: Api) -> None:
    with listening(answers(201)) as listener:
        before = api.send(**sms("+46700000001"))
        api.ends(before)
        hub = register(api, listener)
        message = api.call("POST", PATH, sms("+46700000002", id="life")).json
        api.call("POST", f"{PATH}/life/send")
        api.ends("life")
        api.call("DELETE", f"{PATH}/life")
        wait_until(lambda: DELETION in types(listener))

        wait_until(lambda: len(listener.heard) == 4)
        created = next(one for one in listener.heard if one.json["eventType"] == CREATION)
        updates = [one.json for one in listener.heard if one.json["eventType"] == UPDATE]
        deleted = next(one for one in listener.heard if one.json["eventType"] == DELETION)
        assert created.json["event"] == {"CommunicationMessage": [message]}
        assert {one["CommunicationMessage"]["status"] for one in updates} == {
            "InProgress",
            "Completed",
        }
        assert deleted.json["CommunicationMessage"]["id"] == "life"
        for one in listener.heard:
            Webhook(hub["secret"]).verify(one.body, one.headers)
            assert one.id == one.json["eventId"]
            assert one.json["eventTime"].endswith("Z")


def test_a_hub_hears_only_what_happens_after_it_was_registered(api: Api) -> None:
    with listening(answers(200)) as listener:
        for _ in range(5):
            api.call("POST", PATH, sms("+46700000011"))
        register(api, listener)
        after_it = api.call("POST", PATH, sms("+46700000012")).json["id"]
        wait_until(lambda: listener.heard)

        told = [one.json["event"]["CommunicationMessage"][0]["id"] for one in listener.heard]
        assert told == [after_it]


def test_others_hear_of_a_hub_that_refuses(api: Api) -> None:
    with listening(answers(404)) as troubled, listening(answers(200)) as other:
        hub = register(api, troubled, f"eventType={CREATION},FAULT")
        register(api, other, "eventType=FAULT")
        api.send(**sms("+46700000013"))
        wait_until(lambda: other.heard)

        assert other.heard[0].json["entity_id"] == hub["id"]
        assert types(troubled) == [CREATION]


def test_a_query_chooses_events_and_fields(api: Api) -> None:
    with listening(answers(200)) as listener:
        register(
            api,
            listener,
            f"eventType={UPDATE},{DELIVERY}"
            "&CommunicationMessage.status=Failed&fields=CommunicationMessage.status",
        )
        api.ends(api.send(**sms("+46700000003")))
        register(api, listener, f"eventType={DELIVERY}")
        api.ends(api.send(**sms("+46700000004", "+46700000005")))

        wait_until(lambda: types(listener) == [DELIVERY, DELIVERY])


@pytest.mark.parametrize(
    "trouble",
    [answers(500), answers(429, Retry_After="0"), answers(301, Location="/"), hangs_up],
    ids=["500", "429", "301", "half-way"],
)
def test_all_events_arrive_once_the_listener_is_well_and_others_feel_nothing(
    api: Api, trouble: Any
) -> None:
    others_heard = Event()
    recovering = until(others_heard, trouble, answers(200))
    with (
        listening(in_turn(*[trouble] * 12, recovering)) as ill,
        listening(answers(200)) as well,
        listening(after(0.5, answers(200))) as slow,
    ):
        for one in (ill, slow, well):
            register(api, one, f"eventType={CREATION}")
        sent = [api.send(**sms("+46700000006")) for _ in range(15)]

        wait_until(lambda: len(well.acknowledged()) == len(sent))
        others_heard.set()
        wait_until(lambda: len(ill.acknowledged()) == len(sent))
        assert set(ill.acknowledged().values()) == {1}
        assert set(well.acknowledged().values()) == {1}
        assert len(well.heard) == len(sent)


def test_a_dead_listener_hears_it_all_when_it_is_back(api: Api) -> None:
    listener = Listener(answers(200))
    hub = register(api, listener, f"eventType={CREATION}")
    sent = [api.send(**sms("+46700000007")) for _ in range(30)]
    wait_until(lambda: api.call("GET", f"{HUB}/{hub['id']}").json["state"] == "failing")

    listener.open()
    wait_until(lambda: len(listener.acknowledged()) == len(sent))

    assert set(listener.acknowledged().values()) == {1}
    wait_until(lambda: api.call("GET", f"{HUB}/{hub['id']}").json["state"] == "active")
    listener.close()


def test_gone_listeners_are_forgotten(api: Api) -> None:
    with listening(answers(410)) as listener:
        hub = register(api, listener)
        api.send(**sms("+46700000008"))
        wait_until(lambda: api.call("GET", f"{HUB}/{hub['id']}").status == 404)


def test_failed_callbacks_are_listed_and_recovered(api: Api) -> None:
    with listening(answers(400)) as listener:
        hub = register(api, listener, f"eventType={CREATION}")
        path = f"{HUB}/{hub['id']}"
        message = api.send(**sms("+46700000009"))
        failed = wait_until(lambda: api.call("GET", f"{path}/callback?state=failed").json)
        assert [(one["status"], len(one["attempts"])) for one in failed] == [(400, 1)]

        listener.behave = answers(200)
        since = {"since": failed[0]["createdAt"]}
        assert api.call("POST", f"{path}/recover", since).json == {"recovered": 1}
        wait_until(listener.acknowledged)

        heard = listener.heard[-1]
        assert heard.id == failed[0]["eventId"]
        assert heard.json["event"]["CommunicationMessage"][0]["id"] == message


def test_a_test_reaches_the_listener(api: Api) -> None:
    with listening(answers(200)) as listener:
        hub = register(api, listener, "eventType=Nothing")
        event = api.call("POST", f"{HUB}/{hub['id']}/test").json["eventId"]
        wait_until(lambda: listener.ids() == [event])


def test_what_hubs_are_told_is_counted(api: Api) -> None:
    before = api.counted("tidings_callbacks_total", outcome="delivered")
    with listening(answers(200)) as listener:
        register(api, listener, f"eventType={CREATION}")
        api.send(**sms("+46700000010"))
        wait_until(lambda: api.counted("tidings_callbacks_total", outcome="delivered") > before)
