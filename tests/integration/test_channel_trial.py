"""`tidings channels`, without its process."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from channels.health.rest import open_rest
from channels.registry import open_identified
from channels.smpp.pdu import Pdu
from channels.smpp.status import ESME_RX_T_APPN
from communication.devices.registry import register
from communication.errors import SettingsError
from communication.redis_client import open_redis
from communication.settings import Settings
from communication.store import open_store, upgrade
from communication.wire.device import NewDevice, Platform
from tests.scripted_smsc import Peer, running_smsc
from tests.services import Redis
from tests.smtp_script import SmtpServer, Step
from tests.smtp_server import smtp_server
from tests.waiting import wait_until
from tidings.commands.channel_report import report
from tidings.commands.channel_trial import Trial, TrialFailed, medium_of
from worker.main import environment_of


@pytest.fixture
def server() -> Iterator[SmtpServer]:
    with smtp_server() as running:
        yield running


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=tmp_path)


def attempt(settings: Settings, url: str | None, to: str) -> str:
    return Trial(settings, url, medium_of(to), tenant="default").send(to, wait=0.1)


@pytest.mark.parametrize(
    ("address", "medium"),
    [
        ("ann@example.com", "email"),
        ("+46 70-123 45 67", "sms"),
        ("0701234567", "sms"),
        ("user-1", "push"),
    ],
)
def test_an_address_says_what_it_is(address: str, medium: str) -> None:
    assert medium_of(address) == medium


def test_a_message_that_is_taken_is_told_with_its_reference(
    settings: Settings, server: SmtpServer
) -> None:
    url = f"smtp://127.0.0.1:{server.port}"
    said = attempt(settings, url, "ann@example.com")
    assert said.startswith(f"{url} took it in ")
    assert said.endswith("its reference is 4F2X.")
    assert server.mails[0].recipients == ["ann@example.com"]


def test_a_refusal_is_told_with_its_reason(settings: Settings, server: SmtpServer) -> None:
    url = f"smtp://127.0.0.1:{server.port}"
    server.on("RCPT", Step(reply="550 5.1.1 no such user"), Step(reply="451 4.3.0 busy"))
    with pytest.raises(TrialFailed, match=r"refuses it for good: 550 5\.1\.1 no such user"):
        attempt(settings, url, "ann@example.com")
    with pytest.raises(TrialFailed, match="did not take it, which may pass: 451"):
        attempt(settings, url, "ann@example.com")


def test_the_final_receipt_is_told_and_that_of_another_message_is_left_to_the_workers(
    settings: Settings,
) -> None:
    with running_smsc() as smsc:
        others = []

        def submitted(peer: Peer, pdu: Pdu) -> None:
            others.append(smsc.receipt("4711"))
            reference = smsc.accept(peer, pdu)
            smsc.receipt(reference, "ACCEPTD")
            smsc.receipt(reference, "UNDELIV", err="034")

        smsc.on_submit = submitted
        trial = Trial(settings, f"smpp://id:secret@127.0.0.1:{smsc.port}", "sms", tenant="default")

        said = trial.send("+46701234567", wait=120)

        assert said.endswith("Its receipt: undeliverable: UNDELIV, error 34.")
        wait_until(lambda: smsc.answer_to(others[0]) is not None)
        refused = smsc.answer_to(others[0])
        assert refused is not None
        assert refused.status == ESME_RX_T_APPN


def test_without_a_url_the_channel_in_use_is_tried(settings: Settings) -> None:
    assert attempt(settings, None, "+46701234567").startswith("folder:// took it")
    (file,) = (settings.data / "outbox" / "sms").iterdir()
    assert "+46701234567" in file.read_text()


def test_what_is_wrong_is_told_of_where_it_was_written(settings: Settings) -> None:
    with pytest.raises(SettingsError, match=r"^URL: smtp://: unknown parameter 'x'"):
        attempt(settings, "smtp://mail.example.com?x=1", "ann@example.com")
    wrong = settings.model_copy(update={"email_url": "smtp://mail.example.com?x=1"})
    with pytest.raises(SettingsError, match=r"^TIDINGS_EMAIL_URL: smtp://: unknown parameter 'x'"):
        attempt(wrong, None, "ann@example.com")


def test_a_number_without_its_country_is_explained(settings: Settings) -> None:
    with pytest.raises(SettingsError, match="--to: has no country code"):
        attempt(settings, None, "0701234567")


def test_a_push_goes_to_the_devices_that_are_registered(settings: Settings) -> None:
    upgrade(settings.database_url)
    store = open_store(settings.database_url)
    with store.write() as connection:
        phone = NewDevice(platform=Platform.NTFY, token="topic")
        register(connection, "default", "user-1", "phone", phone)
    store.close()
    attempt(settings, None, "user-1")
    attempt(settings, None, "user-2")
    assert len(list((settings.data / "outbox" / "push").iterdir())) == 2


def test_the_report_shows_schemes_and_what_is_in_use(tmp_path: Path) -> None:
    settings = Settings(
        data=tmp_path,
        email_url="smtp://user:hunter2@mail.example.com,folder://",
        sms_url="carrier-pigeon://",
    )
    shown = "\n".join(report(settings))
    for scheme in ("smtp", "smtps", "smtp+starttls"):
        assert f"  {scheme:<14} From `{scheme}://user:password@host:port" in shown
    assert "  http           From `http://user:password@host?gateway=twilio" in shown
    assert "or `ntfy+http://:token@host`." in shown
    for word in ("`cafile=/path`", "`verify=no`", "rate=50/s", "burst=100", "slow=", "breaker="):
        assert word in shown
    for word in ("TIDINGS_EMAIL_URL smtp://", "TIDINGS_SMS_URL   carrier", "TIDINGS_PUSH_URL"):
        assert word in shown
    assert "smtp://***@mail.example.com" in shown
    assert "hunter2" not in shown
    assert "can't be used: TIDINGS_SMS_URL: carrier-pigeon://: unknown scheme" in shown


def test_the_report_shows_which_provider_rests(tmp_path: Path, redis_server: Redis) -> None:
    redis_server.wipe()
    settings = Settings(
        data=tmp_path,
        redis_url=redis_server.url,
        email_url="smtp://one.example.com,smtp://two.example.com?concurrency=4",
    )
    two = "smtp://two.example.com?slow=2s"
    _, identity = open_identified(two, environment_of(settings, "email"))
    open_rest(open_redis(settings), identity).begin(30)

    shown = list(report(settings))

    assert any("one.example.com" in line and line.endswith("works") for line in shown)
    assert any("two.example.com" in line and "rests after failures" in line for line in shown)
    away = settings.model_copy(update={"redis_url": "redis://127.0.0.1:9/0"})
    assert any("can be used" in line for line in report(away))
