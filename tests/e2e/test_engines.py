"""supervisord.conf on private RabbitMQ, PostgreSQL and Redis, with an SMTP server."""

from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from tests.installation import LOGIN, Installation
from tests.processes import new_folder
from tests.running import PATH, START_WITHIN, sms, tidings
from tests.services import PostgreSQL
from tests.smtp_script import Step
from tests.waiting import wait_until


def email(address: str, **rest: Any) -> dict[str, Any]:
    return {
        "type": "Email",
        "subject": "News for $Name",
        "content": "Hello $Name.",
        "CommunicationRequestCharacteristic": [{"name": "Name", "value": "Åsa"}],
        "receiver": [{"email": address}],
        **rest,
    }


def password(url: str) -> str:
    return urlsplit(url).password or ""


def in_a_while(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def test_mails_go_out_encrypted_and_logged_in_and_are_recorded(installation: Installation) -> None:
    receivers = [{"email": f"receiver{number}@example.com"} for number in range(20)]

    message = installation.api.send(**email("", receiver=receivers))

    ended = installation.api.ends(message)
    assert ended["status"] == "Completed"
    assert ended["sendTimeComplete"] >= installation.api.deliveries(message)[0]["createdAt"]
    mails = [one for one in installation.smtp.mails if "receiver" in one.recipients[0]]
    assert {one.recipients[0] for one in mails} == {one["email"] for one in receivers}
    assert {(one.encrypted, one.login) for one in mails} == {(True, LOGIN[0])}
    read = [message_from_bytes(one.content, policy=default) for one in mails]
    assert {mail["Subject"] for mail in read} == {"News for Åsa"}
    assert len({mail["Message-ID"] for mail in read}) == 20


def test_each_delivery_tells_its_reference(installation: Installation) -> None:
    message = installation.api.send(**email("reference@example.com"))
    installation.api.ends(message)

    [delivery] = installation.api.deliveries(message)

    assert delivery["state"] == "delivered"
    assert delivery["reference"] == "4F2X"
    assert delivery["attempts"] == 1


def test_ready_reports_all_engines(installation: Installation) -> None:
    answer = installation.api.call("GET", "/ready")

    assert answer.status == 200
    assert {name: part["ok"] for name, part in answer.json.items()} == {
        "database": True,
        "broker": True,
        "redis": True,
    }


def test_metrics_count_what_all_processes_did(installation: Installation) -> None:
    api = installation.api
    labels = {"channel": "push", "lane": "bulk"}
    names = ("tidings_messages_accepted_total", "tidings_deliveries_delivered_total")
    before = [api.counted(name, **labels) for name in names]

    receivers = [{"appUserId": f"user-{number}"} for number in range(30)]
    for _ in range(3):
        message = api.send(
            type="MobileApp", subject="News", content="Hello", priority=8, receiver=receivers
        )
        api.ends(message)

    def counted() -> list[float]:
        return [api.counted(name, **labels) - was for name, was in zip(names, before, strict=True)]

    wait_until(lambda: counted() == [3, 90])


def test_a_scheduled_message_waits_and_patch_moves_it(installation: Installation) -> None:
    api = installation.api
    message = api.send(**sms("+46701234567", sendTime=in_a_while(3600)))
    assert api.status(message) == "Initial"

    assert api.change(message, sendTime=in_a_while(1800)).status == 201
    assert api.status(message) == "Initial"
    moved = datetime.now(UTC) + timedelta(seconds=1.5)
    assert api.change(message, sendTime=moved.isoformat()).status == 201

    assert api.ends(message)["status"] == "Completed"
    [taken] = installation.record.taken(message)
    assert moved.timestamp() <= taken.at


def test_delete_cancels_a_scheduled_message(installation: Installation) -> None:
    api = installation.api
    due = datetime.now(UTC) + timedelta(seconds=3)
    deleted = api.send(**sms("+46701234567", sendTime=due.isoformat()))
    other = api.send(**sms("+46701234568", sendTime=(due + timedelta(seconds=0.5)).isoformat()))

    assert api.call("DELETE", f"{PATH}/{deleted}").status == 204

    api.ends(other)
    assert api.call("GET", f"{PATH}/{deleted}").status == 404
    assert installation.record.taken(deleted) == []


def test_what_is_refused_for_now_is_tried_again(installation: Installation) -> None:
    address = "busy@example.com"
    installation.smtp.on(f"RCPT {address}", Step("451 4.7.1 greylisted"))

    message = installation.api.send(**email(address))

    assert installation.api.ends(message)["status"] == "Completed"
    [delivery] = installation.api.deliveries(message)
    assert (delivery["state"], delivery["attempts"]) == ("delivered", 2)


def test_after_try_times_it_fails_with_the_servers_reply(installation: Installation) -> None:
    address = "never@example.com"
    installation.smtp.always(f"RCPT {address}", Step("451 4.3.0 no room today"))

    message = installation.api.send(**email(address, tryTimes=2))

    assert installation.api.ends(message)["status"] == "Failed"
    [delivery] = installation.api.deliveries(message)
    assert (delivery["state"], delivery["attempts"]) == ("failed", 3)
    assert "451 4.3.0 no room today" in delivery["reason"]


def test_what_is_refused_for_good_fails_at_once(installation: Installation) -> None:
    address = "nobody@example.com"
    installation.smtp.always(f"RCPT {address}", Step("550 5.1.1 no such user"))

    message = installation.api.send(
        **email("", receiver=[{"email": address}, {"email": "somebody@example.com"}])
    )

    ended = installation.api.ends(message)
    assert ended["status"] == "Completed"
    assert ended["deliverySummary"]["failed"] == 1
    failed, delivered = installation.api.deliveries(message)
    assert (failed["state"], failed["attempts"]) == ("failed", 1)
    assert "550 5.1.1 no such user" in failed["reason"]
    assert delivered["state"] == "delivered"


@pytest.mark.parametrize("part", ["api", "relay", "work"])
def test_without_the_migration_no_part_starts(part: str, postgresql_url: str) -> None:
    process = tidings(new_folder(), part, database_url=postgresql_url, broker_url="amqp://nowhere")

    assert process.wait(START_WITHIN) == 1
    said = process.log.read_text()
    assert "run `tidings db upgrade`" in said
    assert "Traceback" not in said
    assert password(postgresql_url) not in said


def test_no_secret_is_logged(installation: Installation, postgresql: PostgreSQL) -> None:
    said = installation.supervised.log()

    urls = (postgresql.url, installation.rabbitmq.url, installation.redis.url)
    secrets = [*map(password, urls), LOGIN[1], quote(LOGIN[1])]
    assert not any(secret in said for secret in secrets)
