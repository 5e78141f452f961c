"""A person is forgotten however the person is written, and whatever stands around it."""

import tracemalloc
from base64 import b64decode, b64encode
from contextlib import closing
from typing import Any

import orjson
import pytest
from click.testing import CliRunner
from sqlalchemy import insert

from communication.clock import now
from communication.events.event_model import COLLECTED_EVENT, EVENT, HEARD_EVENT, STAGED_EVENT
from communication.hubs.listener_model import CALLBACK_BODY
from communication.model import IDEMPOTENCY, RECEIVER
from communication.privacy.erasing import erase
from communication.privacy.scrubbing import ERASED, scrub
from communication.store import Store, open_store
from tests.api import client
from tests.events import SETTINGS, Calls
from tests.messages import rows, store_message
from tidings.cli import main
from worker.fan_out import FanOut
from worker.hubs.sink import HubSink
from worker.sequencer import Sequencer

CARL = "carl@example.com"


def encoded(content: Any) -> str:
    return b64encode(orjson.dumps(content)).decode()


def collect(store: Store, payload: dict[str, Any], **headers: str) -> None:
    body = {
        "entity_id": "order-1",
        "event_payload": {"operation": "CREATE", **payload},
        "event_source": "ORDER",
        "event_type": "FAULT",
    }
    named = {"X-TWC-Tenant": "default", **headers}
    assert client(store).simulate_post("/api/v1/events", json=body, headers=named).status_code < 300


@pytest.mark.parametrize("given", ["0046 70 111 22 33", "070-111 22 33", "+46701112233"])
def test_a_number_is_forgotten_as_it_is_stored_too(
    migrated_sqlite_url: str, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.setenv("TIDINGS_DATABASE_URL", migrated_sqlite_url)
    monkeypatch.setenv("TIDINGS_PHONE_REGION", "SE")
    with closing(open_store(migrated_sqlite_url)) as store:
        number = {"phoneNumber": "+46701112233"}
        store_message(store, {"type": "SMS", "content": "x", "receiver": [number]}, sending=False)
        with store.write() as connection:
            heard = {"tenant": "default", "event_id": "e", "hash": "", "created_at": now()}
            connection.execute(insert(HEARD_EVENT).values(**heard, body={"who": given}))
        result = CliRunner().invoke(main, ["forget", "--receiver", f" {given} "])
        assert result.exit_code == 0, result.output
        assert "+46701112233: erased in 1 receivers" in result.stdout
        assert rows(store, RECEIVER)[0].phone is None
        assert rows(store, HEARD_EVENT)[0].body == {"who": ERASED}


@pytest.mark.parametrize("told", [True, False])
def test_a_person_in_base64_is_forgotten(store: Store, *, told: bool) -> None:
    person = {"customer": CARL.title(), "order": 7}
    hub = {"callback": "http://127.0.0.1:9/", "query": "eventType=FAULT"}
    api = client(store, callback_allow="127.0.0.0/8")
    assert api.simulate_post("/hub", json=hub).status_code == 201
    fault = b64encode(f"no JSON: {CARL}".encode()).decode()
    hidden = {
        "base64_encoded_payload_json": encoded(person),
        "base64_encoded_fault_json": fault,
    }
    collect(store, hidden, **{"Idempotency-Key": "k"})
    others = {"base64_encoded_payload_json": encoded({"customer": "ben@example.com"})}
    collect(store, others)
    if told:
        sinks = [HubSink(["FAULT"])]
        Sequencer(store, SETTINGS, Calls(), sinks).step()
        FanOut(store, SETTINGS, sinks).run()
        assert len(rows(store, CALLBACK_BODY)) == 2

    with store.write() as connection:
        erased = erase(connection, CARL)

    assert erased.bodies == (4 if told else 3)
    tables = (COLLECTED_EVENT, STAGED_EVENT, EVENT, CALLBACK_BODY, IDEMPOTENCY)
    left = "".join(repr(rows(store, table)) for table in tables)
    assert fault not in left
    assert hidden["base64_encoded_payload_json"] not in left
    assert others["base64_encoded_payload_json"] in left
    clean = rows(store, COLLECTED_EVENT)[0].body["event_payload"]
    assert orjson.loads(b64decode(clean["base64_encoded_payload_json"])) == {
        "customer": ERASED,
        "order": 7,
    }
    assert b64decode(clean["base64_encoded_fault_json"]) == ERASED.encode()


def test_what_only_looks_like_base64_is_left_or_erased() -> None:
    body = {"base64_encoded_x": "no base64", "base64_encoded_y": 7, "base64_encoded_z": "åå"}
    assert scrub(body, CARL) == body
    assert scrub({"base64_encoded_x": f"{CARL}="}, CARL) == {"base64_encoded_x": ERASED}


def test_what_is_nested_deeply_is_erased_all_the_same() -> None:
    deep = b"[" * 1000 + f'"{CARL}"'.encode() + b"]" * 1000
    clean = scrub({"base64_encoded_x": b64encode(deep).decode()}, CARL)
    assert CARL.encode() not in b64decode(clean["base64_encoded_x"])


@pytest.mark.parametrize("asked", ["ÅSA-ÖBERG", "åsa-öberg", "Åsa-Öberg"])
def test_capitals_of_all_languages_are_the_same_person(store: Store, asked: str) -> None:
    with store.write() as connection:
        kind = {"tenant": "default", "hash": "", "created_at": now()}
        for number, who in enumerate(("ÅSA-ÖBERG", "Åsa-Öberg", "asa-oberg")):
            row = {**kind, "event_id": f"e{number}", "body": {"who": who}}
            connection.execute(insert(HEARD_EVENT).values(**row))
        assert erase(connection, asked).bodies == 2
    assert [row.body["who"] for row in rows(store, HEARD_EVENT)] == [ERASED, ERASED, "asa-oberg"]


def test_kept_answers_are_not_all_in_memory_at_once(sqlite_store: Store) -> None:
    size, count = 200_000, 150
    answer = {"tenant": "t", "client": "c", "route": "r", "request_hash": "h", "status": "200"}
    body = f'{{"x":"{CARL}{"y" * size}"}}'
    with sqlite_store.write() as connection:
        for number in range(count):
            one = {"idempotency_key": str(number), "body": body, "created_at": now()}
            connection.execute(insert(IDEMPOTENCY).values(**answer, headers={}, **one))
    tracemalloc.start()
    try:
        with sqlite_store.write() as connection:
            erased = erase(connection, "nobody@example.com")
            few = tracemalloc.get_traced_memory()[1]
            assert erase(connection, CARL).bodies == count
            most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert erased.bodies == 0
    assert few < size * count / 2
    # A found one is held twice as it is scrubbed, and with its clean text.
    assert most < size * count * 1.5
