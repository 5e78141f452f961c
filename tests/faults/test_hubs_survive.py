"""Something dies while hubs are told: each hears of every event all the same.

Repeats are counted, and bounded by what one worker had in flight or had not recorded.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from communication.events.told import CREATION
from tests.installation import Installation
from tests.listener import Listener, after, answers, listening
from tests.running import came_too_late, sms
from tests.waiting import wait_until

HUB = "/hub"
EVENTS = 150
LATENCY = 0.05
CONCURRENCY = 4
FLUSHES = 1.0
"""Seconds from an answer to its record, on a busy machine."""
MOST_REPEATS = CONCURRENCY * (1 + int(FLUSHES / LATENCY))


@pytest.fixture
def listeners(installation: Installation) -> Iterator[list[Listener]]:
    """Three, registered as hubs; one more that is dead."""
    with ExitStack() as opened:
        heard = [opened.enter_context(listening(after(LATENCY, answers(200)))) for _ in range(3)]
        paths = [_register(installation, one) for one in (*heard, Listener(answers(200)))]
        yield heard
        for path in paths:
            installation.api.call("DELETE", path)


def _register(installation: Installation, listener: Listener) -> str:
    body = {"callback": listener.url, "query": f"eventType={CREATION}"}
    answer = installation.api.call("POST", HUB, body)
    assert answer.status == 201, answer
    return f"{HUB}/{answer.json['id']}"


def kill_callback_worker(installation: Installation) -> None:
    installation.supervised.kill_program("work-callbacks")


def kill_fan_out_and_relay(installation: Installation) -> None:
    installation.supervised.kill_program("work-events")
    installation.supervised.kill_program("relay")


def wipe_rabbitmq(installation: Installation) -> None:
    installation.rabbitmq.wipe()


def kill_and_restart_postgresql(installation: Installation) -> None:
    installation.postgresql.kill()
    installation.postgresql.start()


def _hears_all(listener: Listener) -> None:
    wait_until(lambda: len(listener.acknowledged()) == EVENTS)


@pytest.mark.parametrize(
    ("fault", "most_repeats"),
    [
        (kill_callback_worker, MOST_REPEATS),
        (kill_fan_out_and_relay, 0),
        (wipe_rabbitmq, 0),
        (kill_and_restart_postgresql, 0),
    ],
)
def test_every_hub_hears_of_every_event(
    fault: Callable[[Installation], None],
    most_repeats: int,
    installation: Installation,
    listeners: list[Listener],
) -> None:
    late = came_too_late(installation.supervised)
    events = [installation.api.send(**sms("+46701234567")) for _ in range(EVENTS)]
    wait_until(lambda: all(one.heard for one in listeners))

    fault(installation)

    for one in listeners:
        _hears_all(one)
        told = {heard.json["event"]["CommunicationMessage"][0]["id"] for heard in one.heard}
        assert told == set(events)
        repeats = sum(one.acknowledged().values()) - EVENTS
        assert repeats <= most_repeats or came_too_late(installation.supervised) > late
