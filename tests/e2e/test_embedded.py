"""`tidings up`: everything in one process, no other server."""

import os
import signal
from collections.abc import Callable, Iterator
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest

from tests.processes import free_port, is_listening, new_folder
from tests.recording import Record
from tests.running import (
    START_WITHIN,
    STOP_WITHIN,
    Api,
    Embedded,
    embedded,
    in_flight,
    numbers,
    occupied_port,
    sms,
    tidings,
)
from tests.waiting import wait_until

EMAIL = {
    "type": "Email",
    "sender": {"name": "ABC Company", "email": "abc@example.com"},
    "subject": "Your order, $Name",
    "content": "Dear $Name, your $Product costs $$5.",
    "CommunicationRequestCharacteristic": [
        {"name": "Name", "value": "customer"},
        {"name": "Product", "value": "lamp"},
    ],
    "receiver": [
        {
            "name": "Ann",
            "email": "ann@example.com",
            "characteristic": [{"name": "Name", "value": "Ann"}],
        },
        {"name": "Bob", "email": "bob@example.com"},
    ],
}


@pytest.fixture(scope="module")
def up() -> Iterator[Embedded]:
    with embedded() as running:
        yield running


def test_an_email_to_two_receivers_lies_in_the_outbox_that_the_console_names(
    up: Embedded,
) -> None:
    message = up.api.send(**EMAIL)

    assert up.api.ends(message)["status"] == "Completed"
    outbox = up.folder / "data" / "outbox" / "email"
    assert f"email → {outbox}/" in up.log()
    mails = [message_from_bytes(file.read_bytes(), policy=default) for file in outbox.glob("*.eml")]
    assert {mail["To"]: mail["Subject"] for mail in mails} == {
        "Ann <ann@example.com>": "Your order, Ann",
        "Bob <bob@example.com>": "Your order, customer",
    }
    texts = {body.get_content().strip() for mail in mails if (body := mail.get_body())}
    assert texts == {
        "Dear Ann, your lamp costs $5.",
        "Dear customer, your lamp costs $5.",
    }


@pytest.mark.parametrize(
    ("kind", "folder", "receiver"),
    [
        ("SMS", "sms", {"phoneNumber": "+46701234567"}),
        ("MobileApp", "push", {"appUserId": "ann"}),
    ],
)
def test_sms_and_push_lie_in_folders_of_their_own(
    up: Embedded, kind: str, folder: str, receiver: dict[str, str]
) -> None:
    message = up.api.send(type=kind, subject="News", content="Hello", receiver=[receiver])

    assert up.api.ends(message)["status"] == "Completed"
    [reference] = [one["reference"] for one in up.api.deliveries(message)]
    assert (up.folder / "data" / "outbox" / folder / reference).exists()


def test_a_second_one_on_the_same_folder_is_refused(up: Embedded) -> None:
    second = tidings(
        new_folder(), "up", "--bind", f"127.0.0.1:{free_port()}", "--data", f"{up.folder}/data"
    )

    assert second.wait(START_WITHIN) == 1
    said = second.log.read_text()
    assert f"tidings: another `tidings up` uses the folder {up.folder}/data" in said
    assert "Traceback" not in said


def test_the_settings_name_address_and_folder_as_the_options_do() -> None:
    folder, port = new_folder(), free_port()
    running = tidings(folder, "up", bind=f"127.0.0.1:{port}", data="elsewhere")
    try:
        wait_until(lambda: is_listening(port), within=START_WITHIN)
        message = Api(port).send(**sms("+46701234567"))
        Api(port).ends(message)
        assert len(list((folder / "elsewhere" / "outbox" / "sms").iterdir())) == 1
        assert not (folder / "var").exists()
    finally:
        running.kill()


def terminate(leader: int) -> None:
    os.kill(leader, signal.SIGTERM)


def press_ctrl_c(leader: int) -> None:
    os.killpg(leader, signal.SIGINT)


@pytest.mark.parametrize("stop", [terminate, press_ctrl_c])
def test_it_drains_when_it_is_told_to_stop(stop: Callable[[int], None], tmp_path: Path) -> None:
    record = Record(tmp_path / "record")
    with embedded(sms_url=record.url(latency="1s", concurrency=8)) as up:
        message = up.api.send(**sms(*numbers(200)))
        wait_until(record.taken)

        stop(up.process.pid)

        assert up.process.wait(STOP_WITHIN) == 0
        assert len(record.taken()) < 200
        assert "Traceback" not in up.log()
        up.start(sms_url=record.url())
        summary = up.api.ends(message)["deliverySummary"]
        assert summary == {
            "total": 200,
            "pending": 0,
            "delivered": 200,
            "failed": 0,
            "cancelled": 0,
        }
        assert record.repeats() == 0


def kill_all(leader: int) -> None:
    os.killpg(leader, signal.SIGKILL)


def kill_parent(leader: int) -> None:
    os.kill(leader, signal.SIGKILL)


@pytest.mark.parametrize("kill", [kill_all, kill_parent])
def test_killed_and_started_again_it_sends_what_it_accepted(
    kill: Callable[[int], None], tmp_path: Path
) -> None:
    record = Record(tmp_path / "record")
    with embedded(sms_url=record.url(latency="50ms", concurrency=16), batch=1000) as up:
        message = up.api.send(**sms(*numbers(600)))
        wait_until(lambda: len(record.taken()) > 500)

        kill(up.process.pid)
        assert up.process.wait() == -signal.SIGKILL
        up.start()

        ended = up.api.ends(message)
        assert ended["status"] == "Completed"
        assert ended["deliverySummary"]["delivered"] == 600
        assert len({one.delivery for one in record.taken()}) == 600
        repeats = record.repeats()
        print(f"{repeats} of 600 repeated after {kill.__name__}")
        assert repeats <= (in_flight(latency=0.05, concurrency=16) if kill is kill_all else 0)


def test_a_child_that_is_killed_is_replaced_and_everything_is_sent(tmp_path: Path) -> None:
    record = Record(tmp_path / "record")
    with embedded(sms_url=record.url(latency="50ms", concurrency=16), batch=1000) as up:
        message = up.api.send(**sms(*numbers(600)))
        wait_until(lambda: len(record.taken()) > 500)

        [child] = up.process.pids() - {up.process.pid}
        os.kill(child, signal.SIGKILL)

        wait_until(lambda: up.process.pids() - {up.process.pid, child}, within=START_WITHIN)
        wait_until(up.api.answers, within=START_WITHIN)
        assert up.api.ends(message)["deliverySummary"]["delivered"] == 600
        assert record.repeats() <= in_flight(latency=0.05, concurrency=16)


def test_wrong_settings_are_all_told_at_once() -> None:
    process = tidings(
        new_folder(), "up", bind="0.0.0.0:8080", try_times="many", lease=0, log_level="loud"
    )

    assert process.wait(START_WITHIN) == 1
    said = process.log.read_text()
    assert all(f"TIDINGS_{name}: " in said for name in ("BIND", "TRY_TIMES", "LEASE", "LOG_LEVEL"))
    assert "may only listen on loopback" in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    "setting",
    [{"sms_url": "pigeon://"}, {"email_url": "smtp://"}, {"email_url": "null://?latency=1h"}],
)
def test_a_channel_that_cannot_be_opened_is_told_in_one_line(setting: dict[str, str]) -> None:
    process = tidings(new_folder(), "up", "--bind", f"127.0.0.1:{free_port()}", **setting)

    assert process.wait(START_WITHIN) == 1
    said = process.log.read_text()
    assert f"tidings: TIDINGS_{next(iter(setting)).upper()}: " in said
    assert "Traceback" not in said


def test_a_port_in_use_is_told_in_one_line() -> None:
    with occupied_port() as port:
        process = tidings(new_folder(), "up", "--bind", f"127.0.0.1:{port}")

        assert process.wait(START_WITHIN) == 1
        said = process.log.read_text()
        assert (
            f"tidings: TIDINGS_BIND: can't listen on 127.0.0.1:{port}: Address already in use"
            in said
        )
        assert "Traceback" not in said
        assert "Tidings serves" not in said
