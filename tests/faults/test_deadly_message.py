"""A message that takes its worker with it."""

from datetime import UTC, datetime, timedelta

from tests.installation import Installation
from tests.running import sms
from tests.waiting import wait_until


def test_it_is_failed_after_three_workers_and_its_neighbours_are_sent(
    installation: Installation,
) -> None:
    api, record = installation.api, installation.record
    together = {
        "priority": 8,
        "sendTime": (datetime.now(UTC) + timedelta(seconds=1)).isoformat(),
    }
    neighbours = [api.send(**sms("+46701234567", content="WAIT 1", **together)) for _ in range(4)]
    deadly = api.send(**sms("+46701234568", content="DIE 0.5", **together))
    neighbours += [api.send(**sms("+46701234569", content="WAIT 1", **together)) for _ in range(4)]

    assert api.ends(deadly)["status"] == "Failed"
    [delivery] = api.deliveries(deadly)
    assert "vanished 3 times" in delivery["reason"]
    assert len(record.taken(deadly)) == 3
    for message in neighbours:
        assert api.ends(message)["status"] == "Completed"
        assert len(record.taken(message)) <= 3
    wait_until(lambda: installation.supervised.pid("work-bulk"))
