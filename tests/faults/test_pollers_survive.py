"""Something dies while pollers read: each hears of every event once all the same."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from communication.events.told import CREATION
from tests.installation import Installation
from tests.running import sms
from tests.waiting import wait_until

SUBSCRIPTIONS = "/notification/v1/subscriptions"
EVENTS = 30
"""Between one fault and the next."""
POLLERS = 2
"""Of each subscription."""


class Poller:
    """Reads one subscription from several threads, and keeps what it was given."""

    def __init__(self, installation: Installation) -> None:
        self._api = installation.api
        body = {"event_type_ids": [CREATION], "client_id": "poller"}
        self.path = f"{SUBSCRIPTIONS}/{self._api.call('POST', SUBSCRIPTIONS, body).json['id']}"
        self.heard: list[str] = []
        self._stopping = Event()

    def run(self) -> None:
        """Poll until told to stop; what is away is waited for."""
        while not self._stopping.wait(0.1):
            answer = self._api.call("GET", f"{self.path}/notifications?size=7")
            if answer.status == 503:
                continue
            assert answer.status == 200, answer
            for one in answer.json["results"]:
                (message,) = one["event"]["CommunicationMessage"]
                self.heard.append(message["id"])

    def has_heard(self, messages: Collection[str]) -> Callable[[], bool]:
        """Whether it was told of all of these."""
        return lambda: set(self.heard) >= set(messages)

    def stop(self) -> None:
        self._stopping.set()


@pytest.fixture
def pollers(installation: Installation) -> Iterator[list[Poller]]:
    """Three subscriptions, all of them being read."""
    three = [Poller(installation) for _ in range(3)]
    with ThreadPoolExecutor(3 * POLLERS) as pool:
        running = [pool.submit(one.run) for one in three for _ in range(POLLERS)]
        yield three
        for one in three:
            one.stop()
        for future in running:
            future.result()
    for one in three:
        installation.api.call("DELETE", one.path)


def wipe_redis(installation: Installation) -> None:
    installation.redis.wipe()


def kill_and_restart_redis(installation: Installation) -> None:
    installation.redis.kill()
    installation.redis.start()


def kill_fan_out(installation: Installation) -> None:
    installation.supervised.kill_program("work-events")


def restart_postgresql(installation: Installation) -> None:
    installation.postgresql.restart()


def test_every_poller_hears_of_every_event_once(
    installation: Installation, pollers: list[Poller]
) -> None:
    sent: list[str] = []
    for fault in (wipe_redis, kill_and_restart_redis, kill_fan_out, restart_postgresql):
        sent += [installation.api.send(**sms("+46701234567")) for _ in range(EVENTS)]
        fault(installation)
    sent += [installation.api.send(**sms("+46701234567")) for _ in range(EVENTS)]

    for one in pollers:
        wait_until(one.has_heard(sent))
        assert Counter(one.heard) == Counter(sent)
