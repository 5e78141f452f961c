"""What providers say of a receiver is recorded, and not to be found in the log."""

import re
from collections.abc import MutableMapping
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from channels.base import Environment
from channels.push.to_devices import open_push
from channels.registry import open_channel
from channels.testing import environment
from communication.model import ATTEMPT, DELIVERY
from communication.privacy.erasing import erase
from communication.privacy.hiding import hide_in, hider
from communication.privacy.scrubbing import ERASED
from communication.settings import Settings
from communication.store import Store
from tests.gateways import answer, gateway
from tests.integration.test_push_devices import push_to, registered, taken
from tests.messages import claimed, rows, store_message
from tests.scripted_channel import Scripted
from worker.batch import BatchRunner
from worker.deliver import Deliverer

NUMBER = "+46701231001"
SAID = b"number 46701231001 is barred"
HIDE = hider(b"key")


def hide(_log: Any, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    hide_in(HIDE, line)  # type: ignore[arg-type]  # structlog promises less than it gives
    return line


AS_LOGGED = (structlog.processors.format_exc_info, hide)


def environment_of(medium: str) -> Environment:
    return environment(Path(), medium)


def test_a_number_that_a_gateway_repeats_is_in_the_database_alone(store: Store) -> None:
    message = {"type": "SMS", "content": "x", "receiver": [{"phoneNumber": NUMBER}], "tryTimes": 0}
    store_message(store, message)
    with gateway(lambda _asked: answer(400, SAID)) as server:
        channel = open_channel(server.url("gateway=46elks"), environment_of("sms"))
        with closing(BatchRunner(store, Settings(), Deliverer(channel, Settings()))) as runner:
            keys = claimed(store, timedelta(seconds=120), channel="sms")
            with capture_logs(AS_LOGGED) as logs:
                runner.run(keys, "relay")

    [line] = [one for one in logs if one["event"] == "delivery failed"]
    assert line["reason"].endswith(f"number {HIDE(NUMBER)} is barred")
    assert "1231001" not in repr(logs)
    for table in (DELIVERY, ATTEMPT):
        assert rows(store, table)[0].reason.endswith(SAID.decode())
    with store.write() as connection:
        erase(connection, NUMBER)
    for table in (DELIVERY, ATTEMPT):
        assert rows(store, table)[0].reason == ERASED


@pytest.mark.parametrize("devices", [1, 3])
def test_neither_a_user_nor_a_devices_token_is_logged(sqlite_store: Store, devices: int) -> None:
    def stumble(_outbound: object) -> str:
        raise RuntimeError("https://push.example/of-ann-0 and -1, -2 of bo-4711 are away")

    for number in range(devices):
        registered(sqlite_store, "bo-4711", f"d{number}", f"https://push.example/of-ann-{number}")
    store_message(sqlite_store, push_to("bo-4711"))
    (job,) = taken(sqlite_store)
    push = open_push([(None, Scripted(answer=stumble))], environment_of("push"))
    with closing(Deliverer(push, Settings())) as deliverer, capture_logs(AS_LOGGED) as logs:
        deliverer.attempt(job)

    stumbled = [one["exception"] for one in logs if one["event"] == "unexpected error"]
    assert len(stumbled) == devices
    assert all(re.search(r"person:\w+ and -1, -2 of person:\w+ are away", one) for one in stumbled)
    assert "of-ann" not in repr(logs)
    assert "bo-4711" not in repr(logs)
