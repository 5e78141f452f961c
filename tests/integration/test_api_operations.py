"""/health, /ready and /metrics."""

import re
import socket
from collections.abc import Iterator

import pytest
from falcon import testing
from redis import Redis
from sqlalchemy import update

from api.app import create_app
from channels.health.breaker import LOOK_EVERY, Breaker
from channels.health.rest import FIRST, LocalRest
from channels.health.tally import LEAST, LocalTally
from communication.clock import parse
from communication.model import DELIVERY
from communication.settings import Settings
from communication.store import Store, open_store
from tests.api import MESSAGES, check_error, client
from tests.clock import Clock
from tests.messages import email
from tests.processes import free_port
from tests.providers import identity
from tests.services import RabbitMQ


@pytest.fixture
def api(store: Store) -> testing.TestClient:
    return client(store)


@pytest.fixture
def deaf_port() -> Iterator[int]:
    """A port where somebody listens and never answers."""
    with socket.create_server(("127.0.0.1", free_port())) as server:
        yield server.getsockname()[1]


def test_a_process_that_answers_is_alive(api: testing.TestClient) -> None:
    assert api.simulate_get("/health", remote_addr="192.0.2.1").json == {"status": "alive"}


def test_embedded_everything_is_ready(api: testing.TestClient) -> None:
    result = api.simulate_get("/ready")
    assert result.status_code == 200
    assert {name: part["ok"] for name, part in result.json.items()} == {
        "database": True,
        "broker": True,
        "redis": True,
    }


def test_a_broker_that_answers_is_reported(sqlite_url: str, rabbitmq: RabbitMQ) -> None:
    api = client(open_store(sqlite_url), broker_url=rabbitmq.url)
    assert api.simulate_get("/ready").json["broker"]["ok"]


def test_broker_and_redis_are_reported_but_not_required(sqlite_url: str, deaf_port: int) -> None:
    settings = Settings(broker_url=f"amqp://user:secret@127.0.0.1:{deaf_port}/")
    redis = Redis(host="127.0.0.1", port=deaf_port, socket_timeout=0.2)
    api = testing.TestClient(create_app(open_store(sqlite_url), settings, redis=redis))
    result = api.simulate_get("/ready")
    assert (result.status_code, result.json["database"]["ok"]) == (200, True)
    assert not result.json["broker"]["ok"]
    assert not result.json["redis"]["ok"]
    assert "secret" not in result.text


def test_without_a_database_it_is_not_ready() -> None:
    api = client(open_store("postgresql+psycopg://nobody:secret@127.0.0.1:1/none"))
    result = api.simulate_get("/ready")
    assert (result.status_code, result.json["database"]["ok"]) == (503, False)
    assert "secret" not in result.text
    assert "tidings_queue_age_seconds" not in api.simulate_get("/metrics").text


@pytest.mark.parametrize("path", ["/ready", "/metrics"])
@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("127.0.0.1", 200),
        ("::1", 200),
        ("::ffff:127.0.0.1", 200),
        ("192.0.2.1", 403),
        ("nowhere", 403),
    ],
)
def test_only_operators_may_look(store: Store, path: str, address: str, status: int) -> None:
    result = client(store).simulate_get(path, remote_addr=address)
    assert result.status_code == status
    if status == 403:
        check_error(result, 403, 50)


def test_metrics_tell_what_is_accepted_and_how_long_it_waits(
    api: testing.TestClient, store: Store
) -> None:
    api.simulate_post(f"{MESSAGES}/send", json=email(3, priority=9))
    with store.write() as connection:
        connection.execute(update(DELIVERY).values(due_at=parse("2026-01-01T00:00:00Z")))
    text = api.simulate_get("/metrics").text
    samples = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    bulk = '{channel="email",lane="bulk",tenant="default"}'
    assert float(samples[f"tidings_messages_accepted_total{bulk}"]) >= 1
    assert float(samples[f"tidings_queue_waiting{bulk}"]) == 3
    assert float(samples[f"tidings_queue_age_seconds{bulk}"]) > 1000
    assert samples["tidings_relay_lag_seconds"] == samples[f"tidings_queue_age_seconds{bulk}"]
    nothing = '{channel="sms",lane="urgent",tenant=""}'
    assert float(samples[f"tidings_queue_age_seconds{nothing}"]) == 0


def test_metrics_tell_which_provider_rests(api: testing.TestClient) -> None:
    clock = Clock()
    rest, known = LocalRest(clock), identity("test://shown")
    breaker = Breaker(known, rest, LocalTally(clock), clock=clock)

    def shown() -> str:
        (line,) = re.findall(
            r'^tidings_provider_resting{channel="sms",provider="test://shown"} (.*)$',
            api.simulate_get("/metrics").text,
            re.MULTILINE,
        )
        return str(line)

    def looked() -> str:
        clock.now += LOOK_EVERY
        breaker.rests()
        return shown()

    assert shown() == "0.0"
    rest.begin(0)  # as another process found
    assert looked() == "1.0"
    clock.now += FIRST
    assert looked() == "1.0"  # it is to be probed
    rest.end()
    assert looked() == "0.0"
    for _ in range(LEAST):
        breaker.end(breaker.begin(), worked=False)
    assert shown() == "1.0"
    clock.now += FIRST
    breaker.end(breaker.begin(), worked=True)
    assert shown() == "0.0"


@pytest.mark.parametrize("path", [MESSAGES, f"{MESSAGES}/m1", f"{MESSAGES}/m1/delivery", "/hub"])
def test_head_is_get_without_the_body(api: testing.TestClient, path: str) -> None:
    api.simulate_post(MESSAGES, json=email(id="m1"))
    got, head = api.simulate_get(path), api.simulate_head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(got.content))
