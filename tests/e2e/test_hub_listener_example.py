"""docs/examples/hub_listener.py does what docs/hub.md says of it."""

import sys
from http.client import HTTPConnection

from communication.events.told import CREATION
from tests.processes import Process, free_port, is_listening, new_folder
from tests.running import REPOSITORY, embedded, environment, sms
from tests.waiting import wait_until

EXAMPLE = REPOSITORY / "docs" / "examples" / "hub_listener.py"


def test_the_example_takes_what_is_signed_and_refuses_the_rest() -> None:
    port, folder = free_port(), new_folder()
    with embedded(sms_url="null://") as running:
        body = {"callback": f"http://127.0.0.1:{port}/events", "query": f"eventType={CREATION}"}
        hub = running.api.call("POST", "/hub", body).json
        secret = running.api.call("POST", f"/hub/{hub['id']}/rotateSecret").json["secret"]
        listener = Process(
            [sys.executable, EXAMPLE, str(port)],
            log=folder / "log",
            env={**environment(folder), "HUB_SECRET": f"{hub['secret']} {secret}"},
        )
        wait_until(lambda: is_listening(port))

        running.api.send(**sms("+46700000001"))
        (callback,) = wait_until(
            lambda: running.api.call("GET", f"/hub/{hub['id']}/callback?state=delivered").json
        )

        assert listener.log.read_text() == f"{callback['eventId']} {CREATION}\n"
        assert callback["status"] == 204
        assert _post(port, b'{"eventType": "forged"}') == 401
        listener.kill()


def _post(port: int, body: bytes) -> int:
    connection = HTTPConnection("127.0.0.1", port, timeout=120)
    connection.request("POST", "/events", body, {"webhook-id": "e", "webhook-timestamp": "1"})
    status = connection.getresponse().status
    connection.close()
    return status
