"""Batches: taken, sent side by side, recorded as the answers come in."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from sqlalchemy import event, update

from channels.base import Outbound, Receiver
from communication import due
from communication.clock import now, to_wire
from communication.errors import PermanentDeliveryError, ServiceUnavailable, TransientDeliveryError
from communication.events.event_model import STAGED_EVENT
from communication.events.happening import Kind
from communication.model import ATTEMPT, DELIVERY, MESSAGE, State, Status
from communication.settings import Settings
from communication.store import Store
from tests.messages import email, rows, states, store_message
from tests.waiting import wait_until
from worker.batch import BatchRunner
from worker.deliver import Deliverer


@dataclass
class Scripted:
    """A channel that does what the test says."""

    answer: Callable[[Outbound], str] = lambda outbound: f"sent {outbound.delivery_id}"
    provider: str = "scripted://"
    concurrency: int = 4
    sent: list[Outbound] = field(default_factory=list)
    closed: bool = False

    def address(self, receiver: Receiver) -> str:
        return str(receiver.email)

    def send(self, outbound: Outbound) -> str:
        self.sent.append(outbound)
        return self.answer(outbound)

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def channel() -> Scripted:
    return Scripted()


@pytest.fixture
def runner(store: Store, channel: Scripted) -> Iterator[BatchRunner]:
    settings = Settings(lease=0.9, retry_base=60)
    running = BatchRunner(store, settings, Deliverer(channel, settings))
    yield running
    running.close()


def claimed(store: Store, lease: timedelta = timedelta(seconds=0.9)) -> list[int]:
    with store.write() as connection:
        return [
            one.key
            for one in due.claim(
                connection,
                DELIVERY,
                channel="email",
                priorities=range(10),
                limit=100,
                lease="relay",
                now=now(),
                until=now() + lease,
            )
        ]


def raising(error: BaseException) -> Callable[[Outbound], str]:
    def answer(_outbound: Outbound) -> str:
        raise error

    return answer


def test_a_batch_is_sent_and_recorded(store: Store, runner: BatchRunner, channel: Scripted) -> None:
    head = store_message(
        store, email(10, content="Dear $Name", characteristic=[{"name": "Name", "value": "Ann"}])
    )

    runner.run(claimed(store), "relay")

    assert {outbound.text for outbound in channel.sent} == {"Dear Ann"}
    assert states(store) == [State.DELIVERED] * 10
    assert rows(store, DELIVERY)[3].reference == f"sent {head.uid}-1-3"
    assert rows(store, MESSAGE)[0].status == Status.COMPLETED


def test_a_batch_that_the_broker_delivers_twice_is_sent_once(
    store: Store, runner: BatchRunner, channel: Scripted
) -> None:
    store_message(store, email(5))
    keys = claimed(store)

    runner.run(keys, "relay")
    runner.run(keys, "relay")

    assert len(channel.sent) == 5


@pytest.mark.parametrize(
    ("error", "try_times", "state"),
    [
        (TransientDeliveryError("451 busy"), 1, State.PENDING),
        (TransientDeliveryError("451 busy"), 0, State.FAILED),
        (PermanentDeliveryError("550 unknown"), 5, State.FAILED),
    ],
)
def test_failures_are_tried_again_as_often_as_the_message_wants(
    store: Store,
    runner: BatchRunner,
    channel: Scripted,
    error: Exception,
    try_times: int,
    state: State,
) -> None:
    store_message(store, email(tryTimes=try_times))
    channel.answer = raising(error)

    runner.run(claimed(store), "relay")

    (delivery,) = rows(store, DELIVERY)
    assert (delivery.state, delivery.reason, delivery.attempts) == (state, str(error), 1)
    assert (delivery.due_at is None) == (state is State.FAILED)


def test_what_no_channel_may_raise_counts_as_a_try_and_leaves_its_traceback(
    store: Store, runner: BatchRunner, channel: Scripted
) -> None:
    store_message(store, email())
    channel.answer = raising(ZeroDivisionError("oh"))

    runner.run(claimed(store), "relay")

    (delivery,) = rows(store, DELIVERY)
    assert (delivery.state, delivery.reason) == (State.PENDING, "unexpected ZeroDivisionError")
    assert "Traceback" in rows(store, ATTEMPT)[0].reason


def test_one_slow_receiver_does_not_delay_the_record_of_the_others(
    store: Store, runner: BatchRunner, channel: Scripted
) -> None:
    store_message(store, email(4))
    hold = threading.Event()
    channel.answer = lambda outbound: (
        "x" if outbound.delivery_id[-1] != "0" or hold.wait(10) else ""
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
    hold = threading.Event()
    channel.answer = lambda _outbound: "x" if hold.wait(10) else ""
    batch = threading.Thread(target=runner.run, args=(claimed(store), "relay"))
    batch.start()
    wait_until(lambda: len(channel.sent) == 1)
    first_end = rows(store, DELIVERY)[0].due_at

    wait_until(lambda: now() > first_end + timedelta(seconds=0.5))

    assert claimed(store) == []
    hold.set()
    batch.join()
    assert states(store) == [State.DELIVERED]


def test_a_stopping_worker_ends_what_is_in_flight_and_gives_the_rest_back(
    store: Store, runner: BatchRunner, channel: Scripted
) -> None:
    store_message(store, email(20))
    hold = threading.Event()
    channel.answer = lambda _outbound: "x" if hold.wait(10) else ""
    batch = threading.Thread(target=runner.run, args=(claimed(store), "relay"))
    batch.start()
    wait_until(lambda: len(channel.sent) == channel.concurrency)

    runner.stop()
    hold.set()
    batch.join()

    assert len(channel.sent) == 4
    assert sorted(states(store)) == [State.DELIVERED] * 4 + [State.PENDING] * 16
    assert {row.attempts for row in rows(store, DELIVERY) if row.state == State.PENDING} == {0}
    assert len(claimed(store)) == 16


def test_outcomes_outlive_an_absence_of_the_database(
    store: Store, runner: BatchRunner, channel: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_message(store, email(3))
    keys = claimed(store, timedelta(minutes=1))
    absent = iter([True, True, False])
    write = store.write

    def flaky() -> object:
        if len(channel.sent) > 0 and next(absent, False):
            raise ServiceUnavailable("the database is away")
        return write()

    monkeypatch.setattr(store, "write", flaky)
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)

    runner.run(keys, "relay")

    assert len(channel.sent) == 3
    assert states(store) == [State.DELIVERED] * 3


def test_a_scheduled_message_is_in_progress_when_its_first_delivery_is_taken(
    store: Store, runner: BatchRunner
) -> None:
    store_message(store, email(sendTime=to_wire(now() + timedelta(hours=1)), tryTimes=0))
    with store.write() as connection:
        connection.execute(update(DELIVERY).values(due_at=now()))

    runner.run(claimed(store), "relay")

    changes = [event for event in rows(store, STAGED_EVENT) if event.kind == Kind.CHANGED]
    assert [event.changed["status"] for event in changes] == [Status.IN_PROGRESS, Status.COMPLETED]


def test_what_was_cancelled_while_it_was_handed_over_is_not_sent(
    store: Store, runner: BatchRunner, channel: Scripted
) -> None:
    store_message(store, email(3))
    keys = claimed(store)
    with store.write() as connection:
        connection.execute(update(MESSAGE).values(status=Status.CANCELLED))

    runner.run(keys, "relay")

    assert channel.sent == []
    assert states(store) == [State.CANCELLED] * 3
    message = rows(store, MESSAGE)[0]
    assert (message.status, message.cancelled_count, message.open_count) == ("Cancelled", 3, 0)


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
    channel.answer = lambda _outbound: "x" if hold.acquire(timeout=10) else ""
    batches = [threading.Thread(target=runner.run, args=(bulk, "relay"))]
    batches[0].start()
    wait_until(lambda: len(channel.sent) == channel.concurrency)
    urgent = store_message(store, email(priority=0))

    batches.append(threading.Thread(target=runner.run, args=(claimed(store), "relay")))
    batches[1].start()
    wait_until(lambda: states(store)[-1] == State.SENDING)
    # It is taken; in a moment it waits for a thread.
    hold.release(2)
    wait_until(lambda: len(channel.sent) == channel.concurrency + 2)

    assert urgent.uid in {one.delivery_id.rsplit("-", 2)[0] for one in channel.sent[-2:]}
    hold.release(100)
    for batch in batches:
        batch.join()


@pytest.mark.parametrize("error", [SystemExit(1), KeyboardInterrupt()])
def test_a_plug_in_that_wants_to_end_the_process_ends_its_try_alone(
    store: Store, runner: BatchRunner, channel: Scripted, error: BaseException
) -> None:
    store_message(store, email(2))
    channel.answer = raising(error)

    runner.run(claimed(store), "relay")

    assert states(store) == [State.PENDING] * 2
    assert {row.attempts for row in rows(store, DELIVERY)} == {1}


def test_a_plug_in_that_forgets_the_reference_has_sent(
    store: Store, runner: BatchRunner, channel: Scripted
) -> None:
    store_message(store, email())
    channel.answer = lambda _outbound: None  # type: ignore[assignment, return-value]

    runner.run(claimed(store), "relay")

    assert states(store) == [State.DELIVERED]


def test_what_is_cancelled_while_its_batch_is_sent_is_not_begun(
    store: Store, runner: BatchRunner, channel: Scripted
) -> None:
    store_message(store, email(20))
    hold = threading.Event()
    channel.answer = lambda _outbound: "x" if hold.wait(10) else ""
    batch = threading.Thread(target=runner.run, args=(claimed(store), "relay"))
    batch.start()
    wait_until(lambda: len(channel.sent) == channel.concurrency)

    with store.write() as connection:
        connection.execute(update(MESSAGE).values(status=Status.CANCELLED))
    looks = count_reads(store)
    wait_until(lambda: looks() > 1)
    hold.set()
    batch.join()

    assert len(channel.sent) == channel.concurrency
    assert sorted(states(store)) == [State.CANCELLED] * 16 + [State.DELIVERED] * 4


def count_reads(store: Store) -> Callable[[], int]:
    """How many statements the store has begun since."""
    begun: list[str] = []
    event.listen(
        store.engine, "before_cursor_execute", lambda *arguments: begun.append(arguments[2])
    )
    return lambda: sum("communication_message.deleted_at" in statement for statement in begun)
