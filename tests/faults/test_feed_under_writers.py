"""64 writers at once, and followers of the feed: nothing skipped, nothing out of order.

Writers commit in another order than they write in, and some roll back.
"""

import random
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import text

from communication.clock import now
from communication.events.heard import Heard, hear
from communication.events.heard_order import HEARD_TYPE
from communication.store import Store, open_store, upgrade
from tests.api import client
from tests.events import sequencer
from tests.waiting import wait_until
from worker.sequencer import Sequencer

WRITERS = 64
EVENTS = 12
"""That each writer commits."""
FEED = "/api/2.3.1/orderevents/"


class UndoneError(Exception):
    """A writer thought better of it."""


@pytest.fixture
def store(postgresql_url: str) -> Iterator[Store]:
    upgrade(postgresql_url)
    opened = open_store(postgresql_url, connections=WRITERS + 8)
    yield opened
    opened.close()


class Follower:
    """Reads on from the last event that it has read, as seed 002 says."""

    def __init__(self, store: Store) -> None:
        self._api = client(store)
        self.read: list[Any] = []

    def read_on(self) -> int:
        since = {"since": self.read[-1]["event"]} if self.read else {}
        answer = self._api.simulate_get(FEED, params=since)
        assert answer.status_code == 200, answer.text
        self.read += answer.json
        return len(answer.json)

    def all(self) -> Any:
        return self._api.simulate_get(FEED).json


def test_no_event_is_skipped_and_none_out_of_order(store: Store) -> None:
    sequencers = [sequencer(store), sequencer(store)]
    running = [Thread(target=one.run) for one in sequencers]
    writing = [Thread(target=write, args=(store, number)) for number in range(WRITERS)]
    follower = Follower(store)
    snapshots: list[Any] = []
    for thread in (*running, *writing):
        thread.start()

    while any(thread.is_alive() for thread in writing):
        follower.read_on()
        snapshots.append(follower.all())
    wait_until(lambda: follower.read_on() == 0 and len(follower.read) >= WRITERS * EVENTS)
    stop(sequencers, running)

    whole = follower.all()
    assert follower.read == whole
    assert all(whole[: len(earlier)] == earlier for earlier in snapshots)
    assert len({entry["event"] for entry in whole}) == WRITERS * EVENTS
    by_writer = defaultdict(list)
    for entry in whole:
        writer, _, number = entry["order"]["accessId"].partition("-")
        by_writer[writer].append(int(number))
    assert len(by_writer) == WRITERS
    assert all(numbers == list(range(EVENTS)) for numbers in by_writer.values())


def write(store: Store, writer: int) -> None:
    """Events one after the other, each in a transaction that takes its time."""
    for number in range(EVENTS):
        with suppress(UndoneError):
            write_one(store, f"{writer}-{number}-undone", undone=True)
        write_one(store, f"{writer}-{number}")


def write_one(store: Store, order: str, *, undone: bool = False) -> None:
    body = {"event": {"id": order, "state": "completed"}}
    heard = Heard(event_id=order, type=HEARD_TYPE, order_id=order, body=body)
    with store.write() as connection:
        hear(connection, "default", heard, now())
        connection.execute(text("SELECT pg_sleep(:seconds)"), {"seconds": random.random() / 50})
        if undone:
            raise UndoneError


def stop(sequencers: list[Sequencer], running: list[Thread]) -> None:
    for one in sequencers:
        one.stop()
    for thread in running:
        thread.join()
