"""docs/examples/poller.py does what docs/notifications.md says of it."""

import sys
from pathlib import Path

from communication.events.told import CREATION
from tests.processes import Process, new_folder
from tests.running import REPOSITORY, Embedded, embedded, environment, sms
from tests.waiting import wait_until

EXAMPLE = REPOSITORY / "docs" / "examples" / "poller.py"


def test_the_example_hears_of_each_message_once_and_goes_on_where_it_was() -> None:
    folder = new_folder()
    with embedded(sms_url="null://") as running:
        poller = _start(running, folder)
        wait_until((folder / "poller.json").exists)
        running.api.send(**sms("+46700000001"))
        wait_until(lambda: _types(folder) == [CREATION])
        poller.kill()

        running.api.send(**sms("+46700000002"))
        running.api.send(**sms("+46700000003"))
        poller = _start(running, folder)
        wait_until(lambda: len(_types(folder)) == 3)
        poller.kill()

    lines = (folder / "log").read_text().split()
    assert len(set(lines) - {CREATION}) == 3


def _start(running: Embedded, folder: Path) -> Process:
    return Process(
        [sys.executable, EXAMPLE, running.api.url, folder / "poller.json", CREATION],
        log=folder / "log",
        env=environment(folder),
    )


def _types(folder: Path) -> list[str]:
    return [line.split()[1] for line in (folder / "log").read_text().splitlines()]
