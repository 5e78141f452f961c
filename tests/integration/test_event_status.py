"""Operators see how far events have come, on both databases."""

from datetime import timedelta

from communication.clock import now
from communication.events.event_status import EventStatus, event_status
from communication.store import Store
from tests.api import client
from tests.events import SETTINGS, Remembering, hear, sequencer
from worker.fan_out import FanOut


def status(store: Store, *, seconds: float = 0) -> EventStatus:
    with store.read() as connection:
        return event_status(connection, now=now() + timedelta(seconds=seconds))


def test_events_wait_for_their_positions_and_then_to_be_told(store: Store) -> None:
    sink = Remembering({"default": {"TestNotification"}})
    assert status(store) == EventStatus(age=0, untold=0)

    hear(store, 1, 2)
    waiting = status(store, seconds=60)
    assert (round(waiting.age / 10), waiting.untold) == (6, 0)
    sequencer(store, sink).step()
    assert status(store) == EventStatus(age=0, untold=2)
    assert "tidings_events_untold 2.0" in client(store).simulate_get("/metrics").text
    FanOut(store, SETTINGS, [sink]).run()

    assert status(store) == EventStatus(age=0, untold=0)
