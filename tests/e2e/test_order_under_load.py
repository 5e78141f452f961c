"""With thousands of bulk deliveries waiting an urgent one is sent within a second."""

from pathlib import Path
from time import time

from tests.installation import Installation
from tests.recording import Record
from tests.running import Api, Embedded, Supervised, embedded, numbers, sms
from tests.waiting import wait_until

WAITING = 20_000
WAITING_EMBEDDED = 5_000
WITHIN = 1.0


def urgent_latencies(
    running: Supervised | Embedded, record: Record, *, waiting: int
) -> list[float]:
    """Seconds from an urgent message's acceptance to its sending, while bulk is waiting."""
    api, late = running.api, came_too_late(running)
    bulk = api.send(**sms(*numbers(waiting), priority=9))
    wait_until(lambda: len(record.taken(bulk)) > 200, within=30)
    latencies = [urgent_latency(api, record, f"+4671{number:07d}") for number in range(5)]
    assert api.change(bulk, status="Cancelled").status == 201
    summary = api.ends(bulk, within=60)["deliverySummary"]
    assert summary["cancelled"] > waiting // 4
    assert summary["delivered"] == waiting - summary["cancelled"]
    sent = {one.delivery for one in record.taken(bulk)}
    # On a machine that stands still for a whole lease, what was sent may be cancelled after it.
    assert summary["delivered"] == len(sent) or came_too_late(running) > late
    return latencies


def urgent_latency(api: Api, record: Record, number: str) -> float:
    urgent = api.send(**sms(number, priority=0))
    accepted = time()
    wait_until(lambda: record.taken(urgent))
    return record.taken(urgent)[0].at - accepted


def came_too_late(running: Supervised | Embedded) -> int:
    """How often outcomes were not recorded, as their lease was gone."""
    return running.log().count("outcomes came too late")


def test_on_real_engines(installation: Installation) -> None:
    latencies = urgent_latencies(installation.supervised, installation.record, waiting=WAITING)

    print(f"urgent sent after {max(latencies):.3f} s at most, on real engines")
    assert max(latencies) < WITHIN


def test_embedded(tmp_path: Path) -> None:
    record = Record(tmp_path / "record")
    with embedded(sms_url=record.url(latency="20ms", concurrency=8)) as up:
        latencies = urgent_latencies(up, record, waiting=WAITING_EMBEDDED)

    print(f"urgent sent after {max(latencies):.3f} s at most, embedded")
    assert max(latencies) < WITHIN
