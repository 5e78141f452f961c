"""GET orderevents as its clients see it (seed 002), on both databases."""

import itertools
from typing import Any

import pytest
from falcon import testing
from sqlalchemy import event as listening

from communication.errors import ServiceUnavailable
from communication.events import order_feed
from communication.store import Store
from tests.api import client
from tests.events import end_deliveries, sequencer
from tests.messages import email, store_message

FEED = "/api/2.3.1/orderevents/"


def end(store: Store, number: int = 1) -> None:
    """That many more order events."""
    store_message(store, email(number))
    end_deliveries(store)
    sequencer(store).step()


def get(store: Store, path: str = FEED, **more: Any) -> testing.Result:
    return client(store).simulate_get(path, **more)


def events(answer: testing.Result) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [entry["event"] for entry in answer.json]


def test_all_events_come_oldest_first_in_the_seeds_shape(store: Store) -> None:
    end(store)
    end(store)

    answer = get(store)

    assert answer.headers["content-type"] == "application/json"
    assert [set(entry) for entry in answer.json] == [{"event", "order"}] * 2
    assert set(answer.json[0]["order"]) == {
        "path",
        "accessId",
        "service",
        "operation",
        "state",
        "message",
    }
    assert len(set(events(answer))) == 2


def test_since_leaves_out_the_event_itself_and_all_before(store: Store) -> None:
    end(store, 3)
    first, second, third = events(get(store))

    assert events(get(store, params={"since": first})) == [second, third]
    assert events(get(store, params={"since": third})) == []
    end(store)
    assert len(events(get(store, params={"since": third}))) == 1


def test_an_earlier_answer_is_the_beginning_of_every_later_one(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(order_feed, "CHUNK", 2)
    answers = []
    for number in (0, 1, 4):
        if number:
            end(store, number)
        answers.append(get(store).json)

    assert list(map(len, answers)) == [0, 1, 5]
    for earlier, later in itertools.pairwise(answers):
        assert later[: len(earlier)] == earlier


def test_an_idle_poll_is_answered_304_after_one_look(store: Store) -> None:
    end(store)
    answer = get(store)
    (last,) = events(answer)
    tag = {"If-None-Match": answer.headers["etag"]}
    polling = client(store)
    looks: list[str] = []

    def look(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        looks.append(statement)

    listening.listen(store.engine, "before_cursor_execute", look)
    idle = polling.simulate_get(FEED, params={"since": last}, headers=tag)
    listening.remove(store.engine, "before_cursor_execute", look)

    assert (idle.status_code, idle.content) == (304, b"")
    assert len([one for one in looks if "order_event" in one]) == 1
    end(store)
    assert get(store, headers=tag).status_code == 200


def test_an_empty_feed_has_a_tag_too(store: Store) -> None:
    answer = get(store)

    assert (answer.json, answer.headers["cache-control"]) == ([], "private, no-cache")
    tag = {"If-None-Match": answer.headers["etag"]}
    assert get(store, headers=tag).status_code == 304
    end(store)
    assert len(events(get(store, headers=tag))) == 1


@pytest.mark.parametrize("since", ["unknown", "", "empty", "x" * 300, "\x00", "a,b"])
def test_an_unknown_since_is_refused_with_its_cause(store: Store, since: str) -> None:
    answer = get(store, params={"since": since})

    assert answer.status_code == 400
    assert list(answer.json) == ["cause"]
    assert answer.json["cause"].startswith("since: ")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", f"{FEED}?sinse=1", 400),
        ("GET", "/api/2.3.1/orders/unknown", 404),
        ("GET", "/api/2.3.1/orders/%00", 404),
        ("GET", f"/api/2.3.1/orders/{'0' * 36}-1-0", 404),
        ("GET", "/api/2.3.1/orders", 404),
        ("GET", "/api/2.3.1/nothing", 404),
        ("POST", FEED, 405),
        ("DELETE", "/api/2.3.1/orders/1", 405),
    ],
)
def test_every_error_is_a_cause(store: Store, method: str, path: str, status: int) -> None:
    answer = client(store).simulate_request(method, path)

    assert answer.status_code == status
    assert list(answer.json) == ["cause"]
    assert isinstance(answer.json["cause"], str)


@pytest.mark.parametrize(
    ("error", "status"), [(RuntimeError("a secret"), 500), (ServiceUnavailable("a host"), 503)]
)
def test_our_own_errors_are_causes_too(
    store: Store, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int
) -> None:
    def fail(*_arguments: object) -> None:
        raise error

    monkeypatch.setattr("api.order_events.open_feed", fail)

    answer = get(store)

    assert (answer.status_code, list(answer.json)) == (status, ["cause"])
    assert str(error) not in answer.text


def test_head_tells_the_tag_without_the_list(store: Store) -> None:
    end(store)

    answer = client(store).simulate_head(FEED)

    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["etag"] == get(store).headers["etag"]


def test_tenants_see_their_own_orders_alone(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    end(store)
    (theirs,) = events(get(store))
    path = get(store).json[0]["order"]["path"]
    monkeypatch.setattr("api.order_events.caller_of", lambda _req: _Other())

    assert events(get(store)) == []
    assert get(store, params={"since": theirs}).status_code == 400
    assert get(store, path).status_code == 404


class _Other:
    tenant = "other"
