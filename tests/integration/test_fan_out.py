"""What happened reaches every sink, in order and counted once, on both databases."""

from collections.abc import Sequence

import pytest
from sqlalchemy import Connection, delete

from communication.events.event_model import EVENT_CURSOR
from communication.events.told import CREATION, Told
from communication.model import DOCUMENT, MESSAGE, RECEIVER
from communication.store import Store
from tests.events import SETTINGS, Remembering, hear, sequencer
from tests.messages import email, rows, store_message
from worker.fan_out import FanOut

LISTENER = {"default": {"TestNotification"}}


def numbers(told: Sequence[Told]) -> list[int]:
    return [one.body["number"] for one in told]


def told_up_to(store: Store) -> int:
    (position,) = [row.position for row in rows(store, EVENT_CURSOR) if row.name == "told"]
    return int(position)


def test_every_sink_gets_what_it_wants_in_order(store: Store) -> None:
    first, second = Remembering(LISTENER), Remembering({"other": {"TestNotification"}})
    hear(store, 1, 2)
    hear(store, 3, tenant="other")
    sequencer(store, first).step()

    FanOut(store, SETTINGS, [first, second]).run()

    assert numbers(first.told) == numbers(second.told) == [1, 2, 3]
    assert [one.position for one in first.told] == [1, 2, 3]
    assert [one.tenant for one in first.told] == ["default", "default", "other"]
    assert told_up_to(store) == 3


def test_what_nobody_wants_is_passed_by(store: Store) -> None:
    sink = Remembering(LISTENER)
    hear(store, 1, tenant="other")
    hear(store, 2)
    hear(store, 3, tenant="other")
    sequencer(store, sink).step()

    FanOut(store, SETTINGS, [sink]).run()

    assert numbers(sink.told) == [2]
    assert told_up_to(store) == 3


@pytest.mark.parametrize("bound", ["worker.fan_out.MOST", "communication.events.telling.PORTION"])
def test_batches_follow_each_other_without_a_gap(
    store: Store, bound: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bound, 2)
    sink = Remembering(LISTENER)
    hear(store, 1, 2, 3, 4, 5)
    sequencer(store, sink).step()

    FanOut(store, SETTINGS, [sink]).run()

    assert [numbers(batch) for batch in sink.batches] == [[1, 2], [3, 4], [5]]


def test_large_messages_are_told_a_few_at_a_time(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("communication.events.telling.PORTION_BYTES", 5_000)
    sink = Remembering({"default": {CREATION}})
    for size in (10, 4_000, 9_000, 10, 10):
        store_message(store, email(note="x" * size), sending=False)
    sequencer(store, sink).step()

    FanOut(store, SETTINGS, [sink]).run()

    assert [[one.position for one in batch] for batch in sink.batches] == [[1, 2], [3], [4, 5]]


def test_of_a_purged_message_nothing_is_left_to_tell(store: Store) -> None:
    sink = Remembering({"default": {CREATION, "TestNotification"}})
    head = store_message(store, email(), sending=False)
    hear(store, 1)
    with store.write() as connection:
        connection.execute(delete(DOCUMENT).where(DOCUMENT.c.message_key == head.key))
        connection.execute(delete(RECEIVER).where(RECEIVER.c.message_key == head.key))
        connection.execute(delete(MESSAGE).where(MESSAGE.c.key == head.key))
    sequencer(store, sink).step()

    FanOut(store, SETTINGS, [sink]).run()

    assert numbers(sink.told) == [1]
    assert told_up_to(store) == 2


def test_it_stops_after_the_batch_that_it_is_in(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stopping(Remembering):
        def put(self, connection: Connection, told: Sequence[Told]) -> None:
            super().put(connection, told)
            telling.stop()

    monkeypatch.setattr("worker.fan_out.MOST", 2)
    sink = Stopping(LISTENER)
    hear(store, 1, 2, 3)
    sequencer(store, sink).step()
    telling = FanOut(store, SETTINGS, [sink])

    telling.run()

    assert told_up_to(store) == 2


def test_a_batch_that_one_sink_fails_is_not_counted_and_comes_again(store: Store) -> None:
    class Failing(Remembering):
        def put(self, connection: Connection, told: Sequence[Told]) -> None:
            super().put(connection, told)
            if len(self.batches) == 1:
                raise ConnectionError

    sink = Failing(LISTENER)
    hear(store, 1)
    sequencer(store, sink).step()
    telling = FanOut(store, SETTINGS, [sink])

    with pytest.raises(ConnectionError):
        telling.run()
    assert told_up_to(store) == 0
    telling.run()

    assert [numbers(batch) for batch in sink.batches] == [[1], [1]]
    assert told_up_to(store) == 1


def test_who_came_later_is_told_of_what_came_later(store: Store) -> None:
    sink = Remembering({})
    hear(store, 1)
    sequencer(store, sink).step()
    sink.wanted = LISTENER
    hear(store, 2)
    sequencer(store, sink).step()

    FanOut(store, SETTINGS, [sink]).run()

    assert numbers(sink.told) == [2]
