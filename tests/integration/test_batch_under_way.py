"""What happens while a batch is being sent."""

import threading
from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import event, update

from channels.base import Outbound
from communication.clock import now
from communication.model import DELIVERY, MESSAGE, State, Status
from communication.store import Store
from tests.messages import claimed, email, rows, states, store_message
from tests.scripted_channel import Scripted, channel, runner, under_way
from tests.waiting import wait_until
from worker.batch import BatchRunner

__all__ = ["channel", "runner"]


def test_one_slow_receiver_does_not_delay_the_record_of_the_others(
    store: Store, runner: BatchRunner, channel: Scripted
) -> None:
    store_message(store, email(4))
    hold = threading.Event()
    channel.answer = lambda outbound: (
        "x" if outbound.delivery_id[-1] != "0" or hold.wait(120) else ""
    )
    batch = threading.Thread(target=runner.run, args=(claimed(store), "relay"))
    batch.start()

    wait_until(lambda: states(store).count(State.DELIVERED) == 3)

    assert states(store)[0] == State.SENDING
    hold.set()
    batch.join()
    assert states(store) == [State.DELIVERED] * 4


def test_a_provider_slower_than_the_lease_keeps_it(
    store: Store, runner: BatchRunner, channel: Scripted
) -> None:
    store_message(store, email())
    with under_way(runner, channel, claimed(store)):
        wait_until(lambda: len(channel.sent) == 1)
        first_end = rows(store, DELIVERY)[0].due_at

        wait_until(lambda: now() > first_end + timedelta(seconds=0.5))

        assert claimed(store) == []
    assert states(store) == [State.DELIVERED]


def test_a_stopping_worker_ends_what_is_in_flight_and_gives_the_rest_back(
    store: Store, runner: BatchRunner, channel: Scripted
) -> None:
    store_message(store, email(20))
    with under_way(runner, channel, claimed(store)):
        wait_until(lambda: len(channel.sent) == channel.concurrency)

        runner.stop()

    assert len(channel.sent) == 4
    assert sorted(states(store)) == [State.DELIVERED] * 4 + [State.PENDING] * 16
    assert {row.attempts for row in rows(store, DELIVERY) if row.state == State.PENDING} == {0}
    assert len(claimed(store)) == 16


def test_what_waited_long_in_the_broker_is_nobody_elses_when_it_is_taken(
    store: Store, runner: BatchRunner, channel: Scripted
) -> None:
    store_message(store, email(3))
    keys = claimed(store, timedelta(0))
    also_claimed: list[int] = []

    def answer(_outbound: Outbound) -> str:
        also_claimed.extend(claimed(store))
        return "x"

    channel.answer = answer

    runner.run(keys, "relay")

    assert also_claimed == []
    assert states(store) == [State.DELIVERED] * 3


def test_the_urgent_goes_before_what_other_batches_have_waiting(
    store: Store, runner: BatchRunner, channel: Scripted
) -> None:
    store_message(store, email(20, priority=9))
    bulk, hold = claimed(store), threading.Semaphore(0)
    channel.answer = lambda _outbound: "x" if hold.acquire(timeout=120) else ""
    batches = [threading.Thread(target=runner.run, args=(bulk, "relay"))]
    batches[0].start()
    wait_until(lambda: len(channel.sent) == channel.concurrency)
    urgent = store_message(store, email(priority=0))

    batches.append(threading.Thread(target=runner.run, args=(claimed(store), "relay")))
    batches[1].start()
    waiting = runner._pool._tasks  # noqa: SLF001 - nothing else tells what waits for a thread
    wait_until(lambda: 0 in {priority for priority, *_ in waiting})
    hold.release(2)
    wait_until(lambda: len(channel.sent) == channel.concurrency + 2)

    assert urgent.uid in {one.delivery_id.rsplit("-", 2)[0] for one in channel.sent[-2:]}
    hold.release(100)
    for batch in batches:
        batch.join()


def test_what_is_cancelled_while_its_batch_is_sent_is_not_begun(
    store: Store, runner: BatchRunner, channel: Scripted
) -> None:
    store_message(store, email(20))
    with under_way(runner, channel, claimed(store)):
        wait_until(lambda: len(channel.sent) == channel.concurrency)

        with store.write() as connection:
            connection.execute(update(MESSAGE).values(status=Status.CANCELLED))
        looks = count_reads(store)
        wait_until(lambda: looks() > 1)

    assert len(channel.sent) == channel.concurrency
    assert sorted(states(store)) == [State.CANCELLED] * 16 + [State.DELIVERED] * 4


def count_reads(store: Store) -> Callable[[], int]:
    """How many statements the store has begun since."""
    begun: list[str] = []
    event.listen(
        store.engine, "before_cursor_execute", lambda *arguments: begun.append(arguments[2])
    )
    return lambda: sum("communication_message.deleted_at" in statement for statement in begun)
