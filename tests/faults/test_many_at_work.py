"""More of each part than one, and what happens while deliveries are at work."""

import os
import signal
from collections.abc import Iterator

import pytest

from tests.installation import BATCH, LEASE, THREADS, Installation
from tests.processes import Process, new_folder
from tests.running import PATH, came_too_late, numbers, sms, tidings
from tests.waiting import wait_until

RECEIVERS = 3000


@pytest.fixture
def more(installation: Installation) -> Iterator[list[Process]]:
    """A second relay, and a second worker of the normal lane."""
    settings = installation.supervised.settings
    processes = [
        tidings(new_folder(), *arguments, **settings)
        for arguments in (("relay",), ("work", "--queues", "deliver.*.normal"))
    ]
    yield processes
    for process in processes:
        process.kill()


def test_two_relays_and_two_workers_send_to_nobody_twice(
    installation: Installation, more: list[Process]
) -> None:
    api, record = installation.api, installation.record
    late = came_too_late(installation.supervised)
    messages: list[str] = []

    def second_worker_has_its_share() -> bool:
        messages.append(api.send(**sms(*numbers(500))))
        return more[1].log.read_text().count("batch recorded") > 5

    wait_until(second_worker_has_its_share, every=0.5)
    for message in messages:
        assert api.ends(message)["deliverySummary"]["delivered"] == 500
    repeats = sum(record.repeats(message) for message in messages)
    assert (
        repeats == 0
        or "came too late" in more[1].log.read_text()
        or (came_too_late(installation.supervised) > late)
    )
    print(f"{len(messages) * 500} deliveries by two workers, {repeats} twice")
    assert [process.stop() for process in more] == [0, 0]


def test_a_provider_slower_than_the_lease_is_asked_once(
    installation: Installation, more: list[Process]
) -> None:
    message = installation.api.send(**sms("+46701234567", content=f"WAIT {LEASE * 1.5}"))

    assert installation.api.ends(message)["status"] == "Completed"
    assert len(installation.record.taken(message)) == 1
    assert more[1].exit_code is None


def test_deleted_in_the_midst_of_sending_only_what_a_worker_has_is_sent(
    installation: Installation,
) -> None:
    api, record = installation.api, installation.record
    message = api.send(**sms(*numbers(RECEIVERS)))
    wait_until(lambda: len(record.taken(message)) > 10)

    assert api.call("DELETE", f"{PATH}/{message}").status == 204
    taken = len(record.taken(message))
    other = api.send(**sms(*numbers(10)))

    assert api.ends(other)["deliverySummary"]["delivered"] == 10
    assert len(record.taken(message)) <= taken + THREADS * BATCH
    assert record.repeats(message) == 0
    assert api.call("GET", f"{PATH}/{message}").status == 404


def test_a_worker_that_is_told_to_stop_while_the_database_is_away_records_what_it_sent(
    installation: Installation,
) -> None:
    api, record = installation.api, installation.record
    late = came_too_late(installation.supervised)
    message = api.send(**sms(*numbers(RECEIVERS)))
    wait_until(lambda: len(record.taken(message)) > RECEIVERS // 10)

    installation.postgresql.kill()
    os.kill(installation.supervised.pid("work-normal"), signal.SIGTERM)
    installation.postgresql.start()

    ended = api.ends(message)
    assert ended["deliverySummary"]["delivered"] == RECEIVERS
    assert record.repeats(message) == 0 or came_too_late(installation.supervised) > late
