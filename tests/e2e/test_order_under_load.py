"""With thousands of bulk deliveries waiting an urgent one is sent within a second."""

from pathlib import Path
from time import time

from tests.installation import Installation
from tests.recording import Record
from tests.running import Api, embedded, numbers, sms
from tests.waiting import wait_until

WAITING = 20_000
WAITING_EMBEDDED = 5_000
WITHIN = 1.0


def urgent_latencies(api: Api, record: Record, waiting: int) -> list[float]:
    """Seconds from an urgent message's acceptance to its sending, while bulk is waiting."""
    bulk = api.send(**sms(*numbers(waiting), priority=9))
    wait_until(lambda: len(record.taken(bulk)) > 200, within=30)
    latencies = []
    for number in range(5):
        urgent = api.send(**sms(f"+4671{number:07d}", priority=0))
        accepted = time()
        wait_until(lambda urgent=urgent: record.taken(urgent))  # type: ignore[misc]
        latencies.append(record.taken(urgent)[0].at - accepted)
    assert api.change(bulk, status="Cancelled").status == 201
    summary = api.ends(bulk, within=60)["deliverySummary"]
    assert summary["cancelled"] > waiting // 4
    sent = {one.delivery for one in record.taken(bulk)}
    assert summary["delivered"] == len(sent) == waiting - summary["cancelled"]
    return latencies


def test_on_real_engines(installation: Installation) -> None:
    latencies = urgent_latencies(installation.api, installation.record, WAITING)

    print(f"urgent sent after {max(latencies):.3f} s at most, on real engines")
    assert max(latencies) < WITHIN


def test_embedded(tmp_path: Path) -> None:
    record = Record(tmp_path / "record")
    with embedded(sms_url=record.url(latency="20ms", concurrency=8)) as up:
        latencies = urgent_latencies(up.api, record, WAITING_EMBEDDED)

    print(f"urgent sent after {max(latencies):.3f} s at most, embedded")
    assert max(latencies) < WITHIN
