"""With thousands of bulk deliveries waiting an urgent one is sent before nearly all of them."""

from pathlib import Path

from tests.installation import Installation
from tests.recording import Record
from tests.running import Api, Embedded, Supervised, came_too_late, embedded, numbers, sms
from tests.waiting import wait_until

WAITING = 20_000
WAITING_EMBEDDED = 5_000
MOST = 0.25
"""The share of those that wait which may be sent between an urgent one's acceptance and it."""


def sent_before_urgent(
    running: Supervised | Embedded, record: Record, *, waiting: int
) -> list[int]:
    """How many were sent between an urgent message's acceptance and it, while bulk is waiting."""
    api, late = running.api, came_too_late(running)
    bulk = api.send(**sms(*numbers(waiting), priority=9))
    wait_until(lambda: len(record.taken(bulk)) > 200)
    before = [sent_before_one(api, record, f"+4671{number:07d}") for number in range(5)]
    assert api.change(bulk, status="Cancelled").status == 201
    summary = api.ends(bulk)["deliverySummary"]
    assert summary["cancelled"] > waiting // 4
    assert summary["delivered"] == waiting - summary["cancelled"]
    sent = {one.delivery for one in record.taken(bulk)}
    # Where its lease was gone, what was sent may be cancelled after it.
    assert summary["delivered"] == len(sent) or came_too_late(running) > late
    return before


def sent_before_one(api: Api, record: Record, number: str) -> int:
    urgent = api.send(**sms(number, priority=0))
    accepted = len(record.taken())
    taken = wait_until(lambda: record.taken(urgent))
    return record.taken().index(taken[0]) - accepted


def test_on_real_engines(installation: Installation) -> None:
    before = sent_before_urgent(installation.supervised, installation.record, waiting=WAITING)

    print(f"urgent sent after {max(before)} others at most, on real engines")
    assert max(before) < WAITING * MOST


def test_embedded(tmp_path: Path) -> None:
    record = Record(tmp_path / "record")
    with embedded(sms_url=record.url(latency="20ms", concurrency=8)) as up:
        before = sent_before_urgent(up, record, waiting=WAITING_EMBEDDED)

    print(f"urgent sent after {max(before)} others at most, embedded")
    assert max(before) < WAITING_EMBEDDED * MOST
