"""Nothing of one tenant shows to another: tenant B's token, on every route, over tenant A's ids."""

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from falcon import testing
from falcon.inspect import inspect_routes
from sqlalchemy import Engine, event

from api.app import create_app
from communication.settings import Settings
from communication.store import Store, open_store, upgrade
from tests.issuer import Issuer
from worker.main import open_queues
from worker.sequencer import Sequencer

ISSUER = Issuer()
A, B = (ISSUER.bearer(tenant=name, client_id="shop") for name in ("a", "b"))
SMS = {"type": "SMS", "content": "Hello", "receiver": [{"phoneNumber": "+46701234567"}]}
HUB = {"callback": "http://127.0.0.1:9/"}
DEVICE = {"platform": "ntfy", "token": "topic-of-ann"}
HEARD = {
    "eventId": "heard-by-a",
    "eventDate": "2026-11-21T08:00:00Z",
    "eventType": "ServiceOrderStateChangeNotification",
    "event": {"id": "order-of-a", "state": "completed"},
}
SUBSCRIPTION = {
    "client_id": "shop",
    "event_type_ids": ["CommunicationMessageCreationNotification"],
}
COLLECTED = {
    "entity_id": "entity-of-a",
    "event_payload": {"operation": "CREATE"},
    "event_source": "ORDER",
    "event_type": "FAULT",
}
BODIES = {
    ("/communicationMessage/{message_id}", "PATCH"): {"priority": 1},
    ("/communicationMessage/{message_id}", "PUT"): SMS,
    ("/hub/{hub_id}/recover", "POST"): {"since": "2026-11-21T08:00:00Z"},
}
OPEN = ("/health", "/ready", "/metrics", "/openapi.json", "/docs", "/receipt/")
OWN = ("/appUser/{app_user_id}/device", "PUT")
"""Whose names are a tenant's own: B's user of the same name is another user."""


@dataclass(frozen=True)
class Place:
    """The API over a database in which tenant A has one of everything."""

    app: Any
    ids: dict[str, str]

    def call(self, method: str, path: str, caller: dict[str, str], body: Any = None) -> Any:
        tenant = "a" if caller is A else "b"
        headers = caller | ({"X-TWC-Tenant": tenant} if path.startswith("/api/v1/") else {})
        return testing.TestClient(self.app).simulate_request(
            method, path, headers=headers, json=body
        )

    def view(self, caller: dict[str, str]) -> dict[str, str]:
        """What a tenant sees of all A's things."""
        return {
            path: self.call("GET", path, caller).text
            for template, methods in routes(self.app)
            if "GET" in methods and not template.endswith("notifications")
            for path in [filled(template, self.ids)]
        }


@pytest.fixture
def place(database_url: str, tmp_path: Path) -> Iterator[Place]:
    upgrade(database_url)
    keys = ISSUER.publish(tmp_path / "jwks.json")
    settings = Settings(
        database_url=database_url, jwks=str(keys), callback_allow="127.0.0.0/8", rate_per_client=""
    )
    with closing(open_store(database_url)) as store:
        yield Place(create_app(store, settings), fill(store, settings))


def fill(store: Store, settings: Settings) -> dict[str, str]:
    """One of everything, of tenant A; their ids by the names of the routes' parameters."""
    place = Place(create_app(store, settings), {})

    def post(path: str, body: Any) -> Any:
        answer = place.call("POST", path, A, body)
        assert answer.status_code in (200, 201), answer.text
        return answer.json

    message = post("/communicationMessage/send", SMS)
    device = place.call("PUT", "/appUser/ann/device/phone", A, DEVICE)
    assert device.status_code == 201, device.text
    post("/externalapi/listener/v1/listener", HEARD)
    collected = post("/api/v1/events", COLLECTED)
    sequence(store, settings)
    delivery = place.call("GET", f"/communicationMessage/{message['id']}/delivery", A).json[0]
    return {
        "message_id": message["id"],
        "hub_id": post("/hub", HUB)["id"],
        "app_user_id": "ann",
        "device_id": "phone",
        "subscription_id": post("/notification/v1/subscriptions", SUBSCRIPTION)["id"],
        "order_id": delivery["id"],
        "{event_id:path}": "heard-by-a",
        "{event_id}": collected["id"],
    }


def sequence(store: Store, settings: Settings) -> None:
    """Give events their places, so that the feed has them."""
    Sequencer(store, settings, open_queues(settings), ()).step()


def routes(app: Any) -> list[tuple[str, set[str]]]:
    """Paths of what is guarded, and their methods."""
    return [
        (route.path, {method.method for method in route.methods if not method.internal})
        for route in inspect_routes(app)
        if not route.path.startswith(OPEN)
    ]


def filled(template: str, ids: dict[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        name = match[1].partition(":")[0]
        return quote(ids.get(name) or ids[match[0]], safe="")

    return re.sub(r"\{([^}]+)\}", value, template)


def strange(ids: dict[str, str]) -> dict[str, str]:
    """Ids of the same shape that nobody has."""
    return {name: one[:-1] + ("y" if one[-1] == "x" else "x") for name, one in ids.items()}


def anonymous(text: str, ids: dict[str, str]) -> str:
    for one in sorted(ids.values(), key=len, reverse=True):
        text = text.replace(one, "ID")
    return text


def test_on_every_route_the_ids_of_another_tenant_are_as_good_as_none(place: Place) -> None:
    before = place.view(A)
    nobody = strange(place.ids)
    for template, methods in routes(place.app):
        if "{" not in template:
            continue
        for method in sorted(methods):
            body = BODIES.get((template, method))
            if template.startswith(OWN[0]) and method == OWN[1]:
                body = DEVICE
            there = place.call(method, filled(template, place.ids), B, body)
            nowhere = place.call(method, filled(template, nobody), B, body)
            assert there.status_code < 500, (method, template, there.text)
            if method != OWN[1] or not template.startswith(OWN[0]):
                assert there.status_code == nowhere.status_code, (method, template, there.text)
                assert anonymous(there.text, place.ids) == anonymous(nowhere.text, nobody)
                assert there.status_code == 404 or there.text in ("", "[]"), template
    assert place.view(A) == before


@contextmanager
def statements() -> Iterator[list[str]]:
    """What is asked of databases meanwhile."""
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        asked.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def test_the_database_is_asked_the_same_for_another_tenants_id_and_for_none(place: Place) -> None:
    nobody = {name: ("1" if one[0] == "0" else "0") + one[1:] for name, one in place.ids.items()}
    for template, methods in routes(place.app):
        for method in sorted(methods) if "{" in template and template != OWN[0] else ():
            seen = []
            for ids in (place.ids, nobody):
                path = filled(template, ids)
                place.call(method, path, B, BODIES.get((template, method)))
                with statements() as asked:
                    answer = place.call(method, path, B, BODIES.get((template, method)))
                seen.append((asked, sorted(answer.headers), answer.headers.get("content-type")))
            assert seen[0] == seen[1], (method, template)


def test_lists_and_feeds_show_nothing_of_another_tenant(place: Place) -> None:
    for template, methods in routes(place.app):
        if "{" not in template and "GET" in methods:
            answer = place.call("GET", template, B)
            assert answer.json == [], (template, answer.text)
            assert answer.headers.get("x-total-count", "0") == "0"


def test_a_place_in_the_feed_of_another_tenant_is_unknown(place: Place) -> None:
    [first, *_] = place.call("GET", "/api/2.3.1/orderevents", A).json
    theirs = place.call("GET", f"/api/2.3.1/orderevents?since={first['event']}", B)
    unknown = place.call("GET", "/api/2.3.1/orderevents?since=nothing", B)
    assert (theirs.status_code, theirs.text) == (unknown.status_code, unknown.text)


def test_names_are_free_in_another_tenant(place: Place) -> None:
    before = place.view(A)
    taken = {**SMS, "id": place.ids["message_id"]}
    for path, body in (
        ("/communicationMessage", taken),
        ("/hub", HUB),
        ("/externalapi/listener/v1/listener", {**HEARD, "event": {"other": "body"}}),
    ):
        answer = place.call("POST", path, B, body)
        assert answer.status_code == 201, answer.text
    assert place.call("PUT", "/appUser/ben/device/phone", B, DEVICE).status_code == 201
    assert place.view(A) == before


def test_an_idempotency_key_is_a_tenants_own(place: Place) -> None:
    first = place.call("POST", "/communicationMessage", A | {"Idempotency-Key": "k"}, SMS)
    other = {**SMS, "content": "Other"}
    second = place.call("POST", "/communicationMessage", B | {"Idempotency-Key": "k"}, other)
    assert second.status_code == 201
    assert second.json["id"] != first.json["id"]
    assert "idempotent-replayed" not in second.headers


def test_a_subscription_is_shown_to_its_own_client_alone(place: Place) -> None:
    path = f"/notification/v1/subscriptions/{place.ids['subscription_id']}"
    other = ISSUER.bearer(tenant="a", client_id="other")
    for where in (path, f"{path}/notifications"):
        assert place.call("GET", where, A).status_code == 200
        assert testing.TestClient(place.app).simulate_get(where, headers=other).status_code == 404
