"""Something dies in the middle of 5,000 deliveries: everybody gets the message all the same.

Repeats are counted, and bounded by what one worker had begun and not recorded. The order-event
feed tells of each delivery once.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from http.client import HTTPException
from threading import Event, Thread
from typing import Any

import pytest

from tests.installation import BATCH, CONCURRENCY, LATENCY, THREADS, Installation
from tests.running import PATH, in_flight, numbers, sms
from tests.waiting import wait_until

RECEIVERS = 5000
MOST_REPEATS = min(THREADS * BATCH, in_flight(latency=LATENCY, concurrency=CONCURRENCY))


@pytest.fixture(autouse=True)
def mended(installation: Installation) -> Iterator[None]:
    """Every test finds the feed begun, and leaves all at work."""
    _send_one(installation)
    wait_until(lambda: orders(installation))
    yield
    _send_one(installation)


def _send_one(installation: Installation) -> None:
    message = installation.api.send(**sms("+46701234567"))
    installation.api.ends(message, within=60)


def orders(installation: Installation, since: str | None = None) -> list[dict[str, Any]]:
    """What the feed tells since an event, or all."""
    query = f"?since={since}" if since else ""
    answer = installation.api.call("GET", f"/api/2.3.1/orderevents/{query}")
    assert answer.status == 200, answer
    entries: list[dict[str, Any]] = answer.json
    return entries


def paths_of(message: str, installation: Installation, since: str) -> list[str]:
    """The orders of one message's deliveries, as often as the feed tells of them."""
    paths = [entry["order"]["path"] for entry in orders(installation, since)]
    return [path for path in paths if path.startswith(f"/api/2.3.1/orders/{message}-")]


def kill_worker(installation: Installation) -> None:
    installation.supervised.kill_program("work-normal")


def kill_relay(installation: Installation) -> None:
    installation.supervised.kill_program("relay")


def kill_api(installation: Installation) -> None:
    supervised = installation.supervised
    starts = supervised.log().count("Listening at")
    supervised.kill_program("api")
    # The killed master's children answer until they notice; only then the port is free.
    wait_until(lambda: supervised.log().count("Listening at") > starts, within=60)


def wipe_rabbitmq(installation: Installation) -> None:
    installation.rabbitmq.wipe()


def kill_and_restart_postgresql(installation: Installation) -> None:
    installation.postgresql.kill()
    installation.postgresql.start()


def kill_and_restart_redis(installation: Installation) -> None:
    installation.redis.kill()
    answer = installation.api.call("GET", "/ready")
    assert answer.status == 200
    assert answer.json["redis"]["ok"] is False
    installation.redis.start()


@pytest.mark.parametrize(
    ("fault", "most_repeats"),
    [
        (kill_worker, MOST_REPEATS),
        (kill_relay, 0),
        (kill_api, 0),
        (wipe_rabbitmq, 0),
        (kill_and_restart_postgresql, 0),
        (kill_and_restart_redis, 0),
    ],
)
def test_everybody_gets_the_message(
    fault: Callable[[Installation], None], most_repeats: int, installation: Installation
) -> None:
    record = installation.record
    since = orders(installation)[-1]["event"]
    message = installation.api.send(**sms(*numbers(RECEIVERS)))
    wait_until(lambda: len(record.taken(message)) > RECEIVERS // 5, within=30, every=0.1)

    fault(installation)

    taken_meanwhile = len(record.taken(message))
    wait_until(installation.api.answers, within=60)
    ended = installation.api.ends(message, within=90)
    assert ended["status"] == "Completed"
    assert ended["deliverySummary"]["delivered"] == RECEIVERS
    assert len({one.address for one in record.taken(message)}) == RECEIVERS
    repeats = record.repeats(message)
    print(f"{fault.__name__}: {repeats} repeats; {taken_meanwhile} sent when it was over")
    assert repeats <= most_repeats
    wait_until(lambda: len(paths_of(message, installation, since)) >= RECEIVERS, every=0.1)
    paths = paths_of(message, installation, since)
    assert len(paths) == len(set(paths)) == RECEIVERS


def test_the_api_accepts_while_rabbitmq_is_down_and_it_is_sent_when_it_is_back(
    installation: Installation,
) -> None:
    record = installation.record
    before = installation.api.send(**sms(*numbers(RECEIVERS)))
    wait_until(lambda: len(record.taken(before)) > RECEIVERS // 5, within=30, every=0.1)

    installation.rabbitmq.kill()
    meanwhile = installation.api.send(**sms("+46701234567"))
    answer = installation.api.call("GET", "/ready")
    assert answer.status == 200
    assert answer.json["broker"]["ok"] is False
    installation.rabbitmq.start()

    for message, receivers in ((before, RECEIVERS), (meanwhile, 1)):
        ended = installation.api.ends(message, within=90)
        assert ended["deliverySummary"]["delivered"] == receivers
        assert record.repeats(message) == 0


def test_what_the_api_accepted_before_it_was_killed_is_sent(installation: Installation) -> None:
    accepted: list[str] = []
    over = Event()

    def post() -> None:
        while not over.is_set():
            with suppress(OSError, HTTPException):
                answer = installation.api.call("POST", f"{PATH}/send", sms(*numbers(10)))
                if answer.status == 200:
                    accepted.append(answer.json["id"])

    clients = [Thread(target=post) for _ in range(4)]
    for client in clients:
        client.start()
    try:
        for most in (50, 200):
            wait_until(lambda most=most: len(accepted) > most, within=60)  # type: ignore[misc]
            kill_api(installation)
    finally:
        over.set()
        for client in clients:
            client.join()

    for message in accepted:
        assert installation.api.ends(message, within=60)["deliverySummary"]["delivered"] == 10
    print(f"{len(accepted)} messages accepted while the API was killed twice")
