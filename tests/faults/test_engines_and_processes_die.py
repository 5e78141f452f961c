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
from tests.running import PATH, START_WITHIN, Api, came_too_late, in_flight, numbers, sms
from tests.waiting import wait_until

RECEIVERS = 5000
MOST_REPEATS = min(THREADS * BATCH, in_flight(latency=LATENCY, concurrency=CONCURRENCY))


class Feed:
    """The order events, each of which is read once."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._last = ""

    def read_on(self) -> list[dict[str, Any]]:
        """What it tells since it was read before; at first all."""
        query = f"?since={self._last}" if self._last else ""
        answer = self._api.call("GET", f"/api/2.3.1/orderevents/{query}")
        assert answer.status == 200, answer
        entries: list[dict[str, Any]] = answer.json
        self._last = entries[-1]["event"] if entries else self._last
        return entries


class Told:
    """The orders of one message's deliveries, as often as the feed tells of them.

    It may tell in between of an earlier message, whose orders got their positions later.
    """

    def __init__(self, feed: Feed, message: str) -> None:
        self.paths: list[str] = []
        self._feed = feed
        self._prefix = f"/api/2.3.1/orders/{message}-"

    def count(self) -> int:
        """How many there are by now."""
        paths = [entry["order"]["path"] for entry in self._feed.read_on()]
        self.paths += [path for path in paths if path.startswith(self._prefix)]
        return len(self.paths)


@pytest.fixture(autouse=True)
def mended(installation: Installation) -> Iterator[None]:
    """Every test leaves all at work."""
    yield
    message = installation.api.send(**sms("+46701234567"))
    installation.api.ends(message)


@pytest.fixture(scope="module")
def feed(installation: Installation) -> Feed:
    return Feed(installation.api)


def kill_worker(installation: Installation) -> None:
    installation.supervised.kill_program("work-normal")


def kill_relay(installation: Installation) -> None:
    installation.supervised.kill_program("relay")


def kill_api(installation: Installation) -> None:
    supervised = installation.supervised
    starts = supervised.log().count("Listening at")
    supervised.kill_program("api")
    # The killed master's children answer until they notice; only then the port is free.
    wait_until(
        lambda: supervised.log().count("Listening at") > starts, within=START_WITHIN, every=0.1
    )


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
    fault: Callable[[Installation], None], most_repeats: int, installation: Installation, feed: Feed
) -> None:
    record, late = installation.record, came_too_late(installation.supervised)
    feed.read_on()
    message = installation.api.send(**sms(*numbers(RECEIVERS)))
    wait_until(lambda: len(record.taken(message)) > RECEIVERS // 5, every=0.1)

    fault(installation)

    taken_meanwhile = len(record.taken(message))
    wait_until(installation.api.answers, within=START_WITHIN)
    ended = installation.api.ends(message)
    assert ended["status"] == "Completed"
    assert ended["deliverySummary"]["delivered"] == RECEIVERS
    assert len({one.address for one in record.taken(message)}) == RECEIVERS
    repeats = record.repeats(message)
    print(f"{fault.__name__}: {repeats} repeats; {taken_meanwhile} sent when it was over")
    assert repeats <= most_repeats or came_too_late(installation.supervised) > late
    told = Told(feed, message)
    wait_until(lambda: told.count() >= RECEIVERS, every=0.1)
    assert len(told.paths) == len(set(told.paths)) == RECEIVERS


def test_the_api_accepts_while_rabbitmq_is_down_and_it_is_sent_when_it_is_back(
    installation: Installation,
) -> None:
    record, late = installation.record, came_too_late(installation.supervised)
    before = installation.api.send(**sms(*numbers(RECEIVERS)))
    wait_until(lambda: len(record.taken(before)) > RECEIVERS // 5, every=0.1)

    installation.rabbitmq.kill()
    meanwhile = installation.api.send(**sms("+46701234567"))
    answer = installation.api.call("GET", "/ready")
    assert answer.status == 200
    assert answer.json["broker"]["ok"] is False
    installation.rabbitmq.start()

    for message, receivers in ((before, RECEIVERS), (meanwhile, 1)):
        ended = installation.api.ends(message)
        assert ended["deliverySummary"]["delivered"] == receivers
        repeats = record.repeats(message)
        assert repeats == 0 or came_too_late(installation.supervised) > late


def test_what_the_api_accepted_before_it_was_killed_is_sent(installation: Installation) -> None:
    accepted: list[str] = []
    over = Event()

    def post() -> None:
        while not over.wait(0.02):
            with suppress(OSError, HTTPException):
                answer = installation.api.call("POST", f"{PATH}/send", sms(*numbers(10)))
                if answer.status == 200:
                    accepted.append(answer.json["id"])

    clients = [Thread(target=post) for _ in range(4)]
    for client in clients:
        client.start()
    try:
        for most in (50, 200):
            wait_until(lambda most=most: len(accepted) > most)  # type: ignore[misc]
            kill_api(installation)
    finally:
        over.set()
        for client in clients:
            client.join()

    for message in accepted:
        assert installation.api.ends(message)["deliverySummary"]["delivered"] == 10
    print(f"{len(accepted)} messages accepted while the API was killed twice")
