"""Messages with templates, from the request to what the channel gets."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from falcon import testing

from api.app import create_app
from communication.catalogue.catalogue import Catalogue
from communication.model import DELIVERY, MESSAGE, State, Status
from communication.settings import Settings
from communication.store import Store
from tests.api import MESSAGES, check_error
from tests.messages import claimed, rows
from tests.scripted_channel import Scripted
from tests.templates import write
from worker.batch import BatchRunner
from worker.deliver import Deliverer
from worker.templating import Templating, open_templating

FILES = {
    "hello/email.html": "<p>Dear {{ Name }}</p>",
    "hello/email.subject.txt": "For {{ receiver.id }}",
    "hello/sv/email.subject.txt": "Till {{ receiver.id }}",
}
LOOP = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
BODY = {
    "type": "Email",
    "template": "hello",
    "locale": "sv",
    "receiver": [
        {"id": "c1", "email": "a@example.com"},
        {"id": "c2", "email": "b@example.com", "characteristic": [{"name": "Name", "value": "Bo"}]},
    ],
    "characteristic": [{"name": "Name", "value": "Ann"}],
}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    write(tmp_path / "templates", FILES)
    return Settings(
        data=tmp_path,
        templates=tmp_path / "templates",
        render_processes=1,
        render_seconds=0.4,
        lease=5,
    )


@pytest.fixture
def templating(settings: Settings) -> Iterator[Templating]:
    opened = open_templating(settings)
    yield opened
    opened.close()


@pytest.fixture
def channel() -> Scripted:
    return Scripted()


@pytest.fixture
def runner(
    store: Store, settings: Settings, channel: Scripted, templating: Templating
) -> Iterator[BatchRunner]:
    deliverer = Deliverer(channel, settings)
    running = BatchRunner(store, settings, deliverer, templating=templating)
    yield running
    running.close()


@pytest.fixture
def api(store: Store, settings: Settings) -> testing.TestClient:
    return testing.TestClient(create_app(store, settings))


def send(api: testing.TestClient, **changes: object) -> testing.Result:
    return api.simulate_post(f"{MESSAGES}/send", json=BODY | changes)


def test_a_message_is_rendered_for_each_receiver(
    api: testing.TestClient,
    store: Store,
    runner: BatchRunner,
    channel: Scripted,
    settings: Settings,
) -> None:
    assert send(api, id="m1").status_code == 200

    runner.run(claimed(store), "relay")

    sent = sorted(channel.sent, key=lambda one: one.address)
    assert [(one.subject, one.text) for one in sent] == [
        ("Till c1", "Dear Ann"),
        ("Till c2", "Dear Bo"),
    ]
    version = Catalogue(settings.templates).snapshot("hello").version
    told = api.simulate_get(f"{MESSAGES}/m1/delivery").json
    assert [one["templateVersion"] for one in told] == [version] * 2
    assert "segments" not in told[0]


def test_the_messages_own_subject_goes_before_the_templates(
    api: testing.TestClient, store: Store, runner: BatchRunner, channel: Scripted
) -> None:
    send(api, subject="Hi $Name")

    runner.run(claimed(store), "relay")

    assert {one.subject for one in channel.sent} == {"Hi Ann", "Hi Bo"}


def test_an_edit_is_used_by_the_next_message(
    api: testing.TestClient,
    store: Store,
    runner: BatchRunner,
    channel: Scripted,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("communication.catalogue.catalogue.LOOK_EVERY", 0)
    send(api)
    runner.run(claimed(store), "relay")
    write(settings.templates, {"hello/email.html": "<p>Hi {{ Name }}</p>"})
    send(api)
    runner.run(claimed(store), "relay")
    write(settings.templates, {"hello/email.html": "<p>Hi {{ Name"})
    send(api)
    runner.run(claimed(store), "relay")

    texts = [one.text.split()[0] for one in channel.sent]
    assert texts == ["Dear"] * 2 + ["Hi"] * 4
    assert {row.state for row in rows(store, DELIVERY)} == {State.DELIVERED}


def test_what_can_not_be_rendered_fails_with_template_file_and_line(
    api: testing.TestClient, store: Store, runner: BatchRunner, settings: Settings
) -> None:
    write(settings.templates, {"hello/email.html": "<p>\n{{ Name.first }}</p>"})
    send(api)

    runner.run(claimed(store), "relay")

    assert rows(store, MESSAGE)[0].status == Status.FAILED
    (reason,) = {row.reason for row in rows(store, DELIVERY)}
    assert reason == "template 'hello': hello/email.html:2: 'str object' has no attribute 'first'"


def test_a_template_that_never_ends_fails_its_own_message_alone(
    api: testing.TestClient, store: Store, runner: BatchRunner, settings: Settings
) -> None:
    write(settings.templates, {"loop/email.txt": LOOP, "loop/email.subject.txt": "x"})
    send(api, template="loop")
    send(api)
    send(api, template=None, subject="Hi", content="inline")

    runner.run(claimed(store), "relay")

    found = [(row.state, row.reason) for row in rows(store, DELIVERY)]
    assert [state for state, _ in found] == [State.FAILED] * 2 + [State.DELIVERED] * 4
    assert found[0][1].startswith("template 'loop': loop/email.txt:1: takes too long")


def test_a_message_whose_template_has_gone_is_tried_again(
    api: testing.TestClient, store: Store, runner: BatchRunner, settings: Settings
) -> None:
    send(api)
    (settings.templates / "hello").rename(settings.templates / ".gone")

    runner.run(claimed(store), "relay")

    delivery = rows(store, DELIVERY)[0]
    assert (delivery.state, delivery.reason) == (State.PENDING, "there is no template 'hello'")


def test_what_a_template_lacks_is_refused_at_accept_and_at_every_change(
    api: testing.TestClient, store: Store
) -> None:
    lacking = {"characteristic": None, "receiver": [{"email": "a@example.com"}]}
    check_error(send(api, **lacking), 400, 23, "template 'hello'", "Name")
    check_error(send(api, template="nope"), 400, 24, "no template 'nope'")
    check_error(send(api, template="../hello"), 400, 24, "template")
    assert rows(store, MESSAGE) == []

    later = {"id": "m1", "sendTime": "2126-11-21T08:00:00Z"}
    assert send(api, **later).status_code == 200
    place = f"{MESSAGES}/m1"
    check_error(api.simulate_patch(place, json={"template": "nope"}), 400, 24, "nope")
    whole = BODY | later | lacking
    check_error(api.simulate_put(place, json=whole), 400, 23, "template 'hello'")


def test_a_message_can_be_cancelled_when_its_template_has_gone(
    api: testing.TestClient, settings: Settings
) -> None:
    send(api, id="m1", sendTime="2126-11-21T08:00:00Z")
    (settings.templates / "hello").rename(settings.templates / ".gone")

    result = api.simulate_patch(f"{MESSAGES}/m1", json={"status": "Cancelled"})

    assert (result.status_code, result.json["status"]) == (201, "Cancelled")
