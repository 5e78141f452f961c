"""One Tidings reports its faults into the Event Collector of another."""

import base64

import orjson

from tests.running import Embedded, embedded, sms
from tests.waiting import wait_until

SUBSCRIPTIONS = "/notification/v1/subscriptions"


def subscribe(running: Embedded) -> str:
    body = {"event_type_ids": ["FAULT"], "client_id": "operator"}
    made = running.api.call("POST", SUBSCRIPTIONS, body).json
    return f"{SUBSCRIPTIONS}/{made['id']}/notifications"


def test_a_delivery_that_failed_is_told_here_and_there() -> None:
    with (
        embedded() as there,
        embedded(
            sms_url="null://?fail=1",
            try_times=1,
            retry_base=0.05,
            event_collector_url=there.api.url,
        ) as here,
    ):
        paths = {running: subscribe(running) for running in (here, there)}
        message = here.api.send(**sms("+46701234567"))
        assert here.api.ends(message)["status"] == "Failed"

        told = {
            running: wait_until(lambda one=running: one.api.call("GET", paths[one]).json["results"])  # type: ignore[misc]
            for running in paths
        }

    (ours,), (theirs,) = told[here], told[there]
    assert ours["event_payload"] == theirs["event_payload"]
    payload = ours["event_payload"]
    fault = orjson.loads(base64.b64decode(payload["base64_encoded_fault_json"]))
    assert (payload["key_attributes"]["correlationId"], fault["attempts"]) == (message, 2)
    assert "+46701234567" not in str(ours)
