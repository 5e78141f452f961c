"""What the pages about events tell their readers to type does what they say."""

import re
import subprocess
from collections.abc import Iterator

import pytest

from tests.running import REPOSITORY, Embedded, embedded
from tests.waiting import wait_until

_BLOCK = re.compile(r"```sh\n(curl .*?)```", re.DOTALL)


@pytest.fixture(scope="module")
def up() -> Iterator[Embedded]:
    with embedded(sms_url="null://") as running:
        yield running


@pytest.mark.parametrize(
    ("page", "says"),
    [
        ("hub.md", '"secret":"whsec_'),
        ("listener.md", '"eventId":"so-42-done"'),
        ("notifications.md", '"notification_page_size":100'),
        ("event-collector.md", '"entity_id":"order-4711"'),
    ],
)
def test_the_first_command_of_the_page_runs(up: Embedded, page: str, says: str) -> None:
    text = (REPOSITORY / "docs" / page).read_text()
    command = _BLOCK.findall(text)[0].replace("127.0.0.1:8080", f"127.0.0.1:{up.port}")
    done = subprocess.run(
        ["/bin/bash", "-c", command.replace("curl", "curl --silent", 1)],
        capture_output=True,
        check=True,
        timeout=600,
    )
    assert says in done.stdout.decode()


def test_the_page_about_hubs_cares_for_one(up: Embedded) -> None:
    hub = up.api.call("POST", "/hub", {"callback": "http://127.0.0.1:9000/care"}).json["id"]
    text = (REPOSITORY / "docs" / "hub.md").read_text()
    (commands,) = re.findall(r"```sh\n(HUB=[^`]*rotateSecret[^`]*)```", text)
    commands = commands.replace("127.0.0.1:8080", f"127.0.0.1:{up.port}")
    script = f"set -e\nID={hub}\n{commands.replace('curl', 'curl --fail-with-body --silent')}"

    done = subprocess.run(["/bin/bash", "-c", script], capture_output=True, check=True, timeout=600)

    for said in ('"eventId":', '"recovered":0', '"secret":"whsec_'):
        assert said in done.stdout.decode()


def test_what_was_heard_can_be_polled(up: Embedded) -> None:
    kind = "ServiceOrderCreationNotification"
    body = {"event_type_ids": [kind, "FAULT"], "client_id": "page"}
    made = up.api.call("POST", "/notification/v1/subscriptions", body).json
    path = f"/notification/v1/subscriptions/{made['id']}"
    event = {"eventId": "p", "eventDate": "2026-11-21T08:00:00Z", "eventType": kind, "event": {}}
    assert up.api.call("POST", "/externalapi/listener/v1/listener", event).status == 201
    fault = {
        "entity_id": "1",
        "event_payload": {"operation": "READ"},
        "event_source": "ORDER",
        "event_type": "FAULT",
    }
    up.api.call("POST", "/api/v1/events", fault, X_TWC_Tenant="default")

    heard: list[str] = []

    def poll() -> bool:
        page = up.api.call("GET", f"{path}/notifications").json
        heard.extend(one["eventType"] for one in page["results"])
        return len(heard) >= 2

    wait_until(poll)
    assert heard == [kind, "FAULT"]
