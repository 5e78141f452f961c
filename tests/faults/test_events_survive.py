"""Everything dies once while messages are sent: everyone who asked is told of all of it.

Three hubs, three pollers and a follower of the feed listen. Repeats are counted.
"""

import os
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager, suppress
from http.client import HTTPException
from threading import Event, Lock, Thread
from typing import Any

import psycopg
import pytest

from tests.faults.test_engines_and_processes_die import (
    kill_and_restart_postgresql,
    kill_api,
    kill_relay,
    kill_worker,
    wipe_rabbitmq,
)
from tests.installation import Installation
from tests.listener import Listener, answers, listening
from tests.running import PATH, START_WITHIN, sms
from tests.waiting import wait_until

MESSAGES = int(os.environ.get("TIDINGS_TEST_EVENTS", "1200"))
SENDERS = 4
PATIENCE = 120 + MESSAGES / 10
"""Seconds for all to be told of all that happened."""
HUBS = POLLERS = 3
FEED = "/api/2.3.1/orderevents/"
TYPES = [f"CommunicationMessage{what}Notification" for what in ("Creation", "Update", "Delivery")]


def kill_callbacks(installation: Installation) -> None:
    installation.supervised.kill_program("work-callbacks")


def kill_fan_out(installation: Installation) -> None:
    installation.supervised.kill_program("work-events")


def wipe_redis(installation: Installation) -> None:
    installation.redis.wipe()


FAULTS: tuple[Callable[[Installation], None], ...] = (
    kill_worker,
    kill_and_restart_postgresql,
    kill_relay,
    wipe_redis,
    kill_callbacks,
    kill_fan_out,
    kill_api,
    wipe_rabbitmq,
)
UNREADABLE = (kill_and_restart_postgresql, kill_api)
"""What is read while these happen may be lost on its way: a read is destructive (seed 001)."""


class Sending:
    """Sends messages from several threads until as many as are wanted are accepted."""

    def __init__(self, installation: Installation) -> None:
        self._api = installation.api
        self._lock = Lock()
        self._left = MESSAGES
        self.accepted: list[str] = []

    def run(self) -> None:
        while (number := self._next()) is not None:
            message = sms("+46701234567", id=f"survivor-{number}")
            wait_until(lambda message=message: self._post(message), within=PATIENCE)  # type: ignore[misc]
            self.accepted.append(f"survivor-{number}")

    def _next(self) -> int | None:
        with self._lock:
            self._left -= 1
            return self._left if self._left >= 0 else None

    def _post(self, message: dict[str, Any]) -> bool:
        with suppress(OSError, HTTPException):
            key = {"Idempotency_Key": message["id"]}
            return self._api.call("POST", f"{PATH}/send", message, **key).status == 200
        return False


class Polling:
    """Reads a subscription's notifications again and again."""

    def __init__(self, installation: Installation, may_read: Lock) -> None:
        self._api = installation.api
        self._may_read = may_read
        body = {"event_type_ids": TYPES, "client_id": "survivor"}
        created = self._api.call("POST", "/notification/v1/subscriptions", body)
        assert created.status == 201, created
        self._path = f"/notification/v1/subscriptions/{created.json['id']}"
        self.read: list[str] = []

    def step(self) -> None:
        with self._may_read:
            answer = self._api.call("GET", f"{self._path}/notifications?size=1000")
        if answer.status == 200:
            self.read += [one["eventId"] for one in answer.json["results"]]

    def end(self) -> None:
        self._api.call("DELETE", self._path)


class Following:
    """Follows the feed of order events from where it is."""

    def __init__(self, installation: Installation) -> None:
        self._api = installation.api
        self.read = [one["event"] for one in self._api.call("GET", FEED).json]

    def step(self) -> None:
        since = f"?since={self.read[-1]}" if self.read else ""
        answer = self._api.call("GET", FEED + since)
        if answer.status == 200:
            self.read += [one["event"] for one in answer.json]


@contextmanager
def repeating(step: Callable[[], None]) -> Iterator[None]:
    """Call `step` all the time, whatever is away."""
    over = Event()

    def run() -> None:
        while not over.wait(0.05):
            with suppress(OSError, HTTPException):
                step()

    thread = Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@contextmanager
def hub(installation: Installation) -> Iterator[Listener]:
    """A registered listener that takes everything."""
    with listening(answers(204)) as listener:
        query = f"eventType={','.join(TYPES)}"
        body = {"callback": listener.url, "query": query}
        registered = installation.api.call("POST", "/hub", body)
        assert registered.status == 201, registered
        yield listener
        installation.api.call("DELETE", f"/hub/{registered.json['id']}")


def events_of(installation: Installation, messages: list[str]) -> dict[str, str]:
    """The ids of what happened to these messages, with its kind."""
    url = str(installation.supervised.settings["database_url"]).replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as connection:
        rows = connection.execute(
            "SELECT event.id, event.kind FROM event JOIN communication_message AS message"
            " ON message.key = event.message_key WHERE message.id = ANY(%s)",
            [messages],
        )
        return dict(rows.fetchall())


def is_told(installation: Installation, messages: list[str]) -> bool:
    """Whether all that is to happen to these messages has its place among the events."""
    kinds = Counter(events_of(installation, messages).values())
    return kinds["created"] == kinds["ended"] == len(messages) and kinds["changed"] >= len(messages)


@pytest.fixture(autouse=True)
def mended(installation: Installation) -> Iterator[None]:
    yield
    message = installation.api.send(**sms("+46701234567"))
    installation.api.ends(message)


def break_everything(installation: Installation, sending: Sending, may_read: Lock) -> None:
    """One fault after the other, evenly over the sending."""
    for number, fault in enumerate(FAULTS, start=1):
        enough = number * MESSAGES // (len(FAULTS) + 1)
        wait_until(lambda enough=enough: len(sending.accepted) >= enough, within=PATIENCE)  # type: ignore[misc]
        with ExitStack() as stack:
            if fault in UNREADABLE:
                stack.enter_context(may_read)
            fault(installation)
            wait_until(installation.api.answers, within=START_WITHIN)


def await_all(events: Collection[str], told: Callable[[], Collection[str]]) -> None:
    """Wait until somebody was told of these."""
    wait_until(lambda: set(told()) >= set(events), within=PATIENCE, every=0.2)


def test_everyone_is_told_of_everything_whatever_dies(installation: Installation) -> None:
    may_read = Lock()
    with ExitStack() as stack:
        hubs = [stack.enter_context(hub(installation)) for _ in range(HUBS)]
        pollers = [Polling(installation, may_read) for _ in range(POLLERS)]
        following, sending = Following(installation), Sending(installation)
        steps = [following.step, *(one.step for one in pollers)]
        for step in steps:
            stack.enter_context(repeating(step))
        senders = [Thread(target=sending.run) for _ in range(SENDERS)]
        for sender in senders:
            sender.start()
        break_everything(installation, sending, may_read)
        for sender in senders:
            sender.join()

        messages = sending.accepted
        wait_until(lambda: is_told(installation, messages), within=PATIENCE, every=0.5)
        events = events_of(installation, messages)
        ended = {event for event, kind in events.items() if kind == "ended"}
        for listener in hubs:
            await_all(events, listener.ids)
        for poller in pollers:
            await_all(events, lambda poller=poller: poller.read)  # type: ignore[misc]
        await_all(ended, lambda: following.read)

    repeats = [sum(n - 1 for n in listener.acknowledged().values()) for listener in hubs]
    print(f"{len(events)} events of {len(messages)} messages; repeated to the hubs: {repeats}")
    assert len(messages) == MESSAGES
    for poller in pollers:
        assert len(poller.read) == len(set(poller.read)), "a notification was handed out twice"
        poller.end()
    whole = [one["event"] for one in installation.api.call("GET", FEED).json]
    assert following.read == whole[: len(following.read)]
