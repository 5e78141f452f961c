"""Positions in order, for what was committed alone, on both databases."""

from collections.abc import Iterator
from threading import Event, Thread

import pytest

from communication.events.event_model import EVENT, EVENT_CURSOR, STAGED_EVENT
from communication.events.happening import record
from communication.events.sequencing import FAN_OUT_LOCK, lock_alone, sequence
from communication.lanes import FAN_OUT_QUEUE
from communication.store import Store, open_store, upgrade
from tests.events import Calls, Remembering, happening, hear, sequencer
from tests.messages import rows
from worker import sequencer as sequencer_module

LISTENER = {"default": {"TestNotification"}}


def positions(store: Store) -> list[tuple[int, int]]:
    return [(row.position, row.payload["number"]) for row in rows(store, EVENT)]


def cursors(store: Store) -> dict[str, int]:
    return {row.name: row.position for row in rows(store, EVENT_CURSOR)}


@pytest.fixture
def postgresql_store(postgresql_url: str) -> Iterator[Store]:
    upgrade(postgresql_url)
    opened = open_store(postgresql_url)
    yield opened
    opened.close()


def test_events_get_positions_in_the_order_in_which_they_were_written(store: Store) -> None:
    hear(store, 1, 2)
    hear(store, 3)

    sequencer(store).step()

    assert positions(store) == [(1, 1), (2, 2), (3, 3)]
    assert rows(store, STAGED_EVENT) == []
    hear(store, 4)
    sequencer(store).step()
    assert positions(store)[-1] == (4, 4)


def test_what_was_rolled_back_is_never_told(store: Store) -> None:
    class UndoneError(Exception):
        pass

    hear(store, 1)

    def undo() -> None:
        with store.write() as connection:
            record(connection, [happening(2)])
            raise UndoneError

    with pytest.raises(UndoneError):
        undo()
    hear(store, 3)

    sequencer(store).step()

    assert positions(store) == [(1, 1), (2, 3)]


def test_a_batch_has_an_end(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sequencer_module, "MOST", 2)
    hear(store, 1, 2, 3)
    busy = sequencer(store)

    assert busy.step()
    assert positions(store) == [(1, 1), (2, 2)]
    assert not busy.step()
    assert positions(store)[-1] == (3, 3)


def test_while_nobody_listens_nobody_is_called_and_all_counts_as_told(store: Store) -> None:
    calls = Calls()
    hear(store, 1, 2)

    sequencer(store, Remembering({}), calls=calls).step()

    assert cursors(store) == {"sequenced": 2, "told": 2}
    assert not calls.depth(FAN_OUT_QUEUE)


def test_a_listener_gets_the_fan_out_called_once(store: Store) -> None:
    calls = Calls()
    hear(store, 1)
    busy = sequencer(store, Remembering(LISTENER), calls=calls)

    busy.step()
    hear(store, 2)
    busy.step()

    assert cursors(store) == {"sequenced": 2, "told": 0}
    assert calls.queues[FAN_OUT_QUEUE] == [{"actor": "fan_out"}]


def test_a_lost_call_is_made_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sequencer_module, "REMIND_EVERY", -1)
    calls = Calls()
    hear(store, 1)
    busy = sequencer(store, Remembering(LISTENER), calls=calls)
    busy.step()

    calls.queues.clear()
    busy.step()

    assert calls.depth(FAN_OUT_QUEUE) == 1


def test_a_late_commit_comes_after_what_was_seen_before(postgresql_store: Store) -> None:
    store = postgresql_store
    with store.write() as late:
        record(late, [happening(1)])
        hear(store, 2)
        sequencer(store).step()
        assert positions(store) == [(1, 2)]
    sequencer(store).step()

    assert positions(store) == [(1, 2), (2, 1)]


def test_one_sequencer_at_a_time(postgresql_store: Store) -> None:
    store = postgresql_store
    hear(store, 1)
    with store.write() as first, store.write() as second:
        assert sequence(first, limit=10) is not None
        assert sequence(second, limit=10) is None
        assert lock_alone(second, FAN_OUT_LOCK)

    assert positions(store) == [(1, 1)]


def test_many_sequencers_and_writers_give_each_event_one_position(postgresql_store: Store) -> None:
    store = postgresql_store
    written = Event()

    def sequence_all() -> None:
        mine = sequencer(store)
        while mine.step() or not written.is_set():
            written.wait(0.001)
        mine.step()

    def write(first: int) -> None:
        for number in range(first, first + 50):
            hear(store, number)

    sequencers = [Thread(target=sequence_all) for _ in range(3)]
    writers = [Thread(target=write, args=(first,)) for first in range(0, 200, 50)]
    for thread in (*sequencers, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    written.set()
    for thread in sequencers:
        thread.join()
    sequencer(store).step()

    found = positions(store)
    assert [position for position, _ in found] == list(range(1, 201))
    assert sorted(number for _, number in found) == list(range(200))
    for first in range(0, 200, 50):
        mine = [number for _, number in found if first <= number < first + 50]
        assert mine == sorted(mine)
