"""Push, from the registration of devices to the services that reach them."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.apple import Apple, apple_server
from tests.devices import APNS_TOKEN
from tests.push_service import PATH, Service, push_service
from tests.running import Api, embedded

TO_ANN = {
    "type": "MobileApp",
    "subject": "Din beställning",
    "content": "Den är på väg ✓",
    "receiver": [{"appUserId": "ann"}],
    "tryTimes": 0,
}


@dataclass
class Running:
    """A Tidings whose push goes to Apple's and a browser's service."""

    api: Api
    apple: Apple
    service: Service

    def register(self, name: str, **device: Any) -> None:
        answer = self.api.call("PUT", f"/appUser/ann/device/{name}", device)
        assert answer.status in (200, 201), answer

    def register_both(self) -> None:
        """A phone and a browser, that work."""
        self.apple.forgets()
        self.service.peer.behave(PATH, {})
        self.service.peer.requests.clear()
        self.register("phone", platform="apns", token=APNS_TOKEN, locale="sv")
        browser = {"endpoint": self.service.browser.token, "keys": self.service.browser.keys}
        self.register("browser", platform="webpush", subscription=browser)

    def devices(self) -> set[str]:
        return {one["id"] for one in self.api.call("GET", "/appUser/ann/device").json}

    def send(self, **changes: Any) -> dict[str, Any]:
        """What became of a message to Ann."""
        message = self.api.send(**{**TO_ANN, **changes})
        self.api.ends(message)
        (delivery,) = self.api.deliveries(message)
        return delivery


def hello_template(folder: Path) -> Path:
    """A folder of templates: `hello`, in English and Swedish."""
    for path, text in (("hello", "Hello"), ("hello/sv", "Hej")):
        (folder / path).mkdir(parents=True)
        (folder / path / "push.title.txt").write_text(text)
        (folder / path / "push.txt").write_text(f"{text}!")
    return folder


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    def folder(name: str) -> Path:
        return tmp_path_factory.mktemp(name)

    with ExitStack() as stack:
        apple = stack.enter_context(apple_server(folder("apple")))
        service = stack.enter_context(push_service(folder("service")))
        urls = f"{apple.url()},{service.url()}"
        texts = hello_template(folder("templates"))
        up = stack.enter_context(embedded(push_url=urls, templates=texts, log_level="debug"))
        yield Running(up.api, apple, service)
        said = up.log()
        secrets = APNS_TOKEN, f"{service.peer.port}{PATH}", service.browser.keys["auth"], "bearer"
        assert [secret for secret in secrets if secret in said] == []


def test_a_message_reaches_all_devices_of_its_user(running: Running) -> None:
    running.register_both()

    delivery = running.send()

    assert delivery["state"] == "delivered"
    assert len(delivery["reference"].split()) == 2
    (pushed,) = running.apple.peer.received(1)
    (posted,) = running.service.peer.received(1)
    alert = json.loads(pushed["body"])["aps"]["alert"]
    assert alert == {"title": "Din beställning", "body": "Den är på väg ✓"}
    assert json.loads(posted["text"])["body"] == "Den är på väg ✓"


def test_a_template_speaks_the_language_of_the_device(running: Running) -> None:
    running.register_both()
    for locale in (None, "en"):
        running.send(template="hello", locale=locale, content=None, subject=None)

    alerts = [json.loads(one["body"])["aps"]["alert"] for one in running.apple.peer.received(2)]

    assert [alert["body"] for alert in alerts] == ["Hej!", "Hello!"]


def test_a_device_that_is_gone_is_unregistered_and_the_other_reached(running: Running) -> None:
    running.register_both()
    running.service.peer.behave(PATH, {"status": 410})

    assert running.send()["state"] == "delivered"

    assert running.devices() == {"phone"}


def test_where_no_device_is_left_it_failed(running: Running) -> None:
    running.register_both()
    running.service.peer.behave(PATH, {"status": 410})
    running.apple.refuses(410, "Unregistered")

    delivery = running.send()
    later = running.send()

    assert (delivery["state"], running.devices()) == ("failed", set())
    assert "410 Unregistered" in delivery["reason"]
    assert later["reason"] == "the app user has no registered device"


def test_a_service_that_ends_each_connection_after_a_push_costs_no_try(running: Running) -> None:
    running.register_both()
    assert running.api.call("DELETE", "/appUser/ann/device/browser").status == 204
    running.apple.answers({"goaway": 0})

    messages = [running.api.send(**TO_ANN) for _ in range(40)]

    ended = [running.api.ends(message) for message in messages]
    assert {one["status"] for one in ended} == {"Completed"}
    deliveries = [running.api.deliveries(message) for message in messages]
    assert {one["attempts"] for (one,) in deliveries} == {1}
