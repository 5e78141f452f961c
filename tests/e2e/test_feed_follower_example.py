"""docs/examples/feed_follower.py does what docs/order-events.md says of it."""

import sys
from pathlib import Path

from tests.processes import Process, new_folder
from tests.running import REPOSITORY, embedded, environment, sms
from tests.waiting import wait_until

EXAMPLE = REPOSITORY / "docs" / "examples" / "feed_follower.py"


def test_the_example_reads_each_event_once_and_goes_on_where_it_stopped() -> None:
    folder = new_folder()
    with embedded(sms_url="null://") as running:
        running.api.send(**one("first"))
        follower = follow(running.api.url, folder)
        wait_until(lambda: lines(follower) == ["first DONE_SUCCESS"])
        running.process.kill()
        running.start()
        running.api.send(**one("second"))
        wait_until(lambda: "second DONE_SUCCESS" in lines(follower))
        wait_until(lambda: len((folder / "last").read_text()) > 0)
        follower.kill()

        running.api.send(**one("third"))
        follower = follow(running.api.url, folder)
        wait_until(lambda: "third DONE_SUCCESS" in lines(follower))
        follower.kill()

    ends = [line for line in lines(follower) if not line.startswith("waiting")]
    # It may be killed between the line and the note of it: then it reads that line again.
    assert sorted(set(ends), key=ends.index) == [
        "first DONE_SUCCESS",
        "second DONE_SUCCESS",
        "third DONE_SUCCESS",
    ]


def test_an_event_that_the_feed_does_not_know_ends_it_with_the_cause() -> None:
    folder = new_folder()
    (folder / "last").write_text("another-servers-event")
    with embedded(sms_url="null://") as running:
        follower = follow(running.api.url, folder)

        assert follower.wait() == 1
        assert "since: is no event of this feed" in follower.log.read_text()


def one(receiver: str) -> dict[str, object]:
    return sms() | {"receiver": [{"id": receiver, "phoneNumber": "+46700000001"}]}


def follow(url: str, folder: Path) -> Process:
    return Process(
        [sys.executable, EXAMPLE, url, str(folder / "last")],
        log=folder / "log",
        env=environment(folder),
    )


def lines(follower: Process) -> list[str]:
    return [line.strip() for line in follower.log.read_text().splitlines()]
