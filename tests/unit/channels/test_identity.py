"""Which URLs are one provider, and what operators see of it."""

from pathlib import Path

import pytest

from channels.health.identity import Identity, told_apart
from channels.registry import open_identified
from channels.testing import environment
from tests.push_messages import write_key_files

TWILIO = "https://{}@api.example.com?gateway=twilio"
SMSC = "smpp://{}@127.0.0.1"
APNS = "apns://sandbox{}/p256.pem?key=ABC123DEFG&team=DEF123GHIJ&topic={}"


def known(url: str, folder: Path, medium: str = "sms") -> Identity:
    channel, identity = open_identified(url, environment(folder, medium))
    channel.close()
    return identity


@pytest.mark.parametrize(
    ("one", "another"),
    [
        (TWILIO.format("AC1:secret"), TWILIO.format("AC2:secret")),
        (TWILIO.format("KEY:secret"), TWILIO.format("KEY:secret") + "&account=AC2"),
        (TWILIO.format("AC1:secret"), "https://AC1:secret@eu.example.com?gateway=twilio"),
        (TWILIO.format("one:"), TWILIO.format("another:")),
        (TWILIO.format(":one"), TWILIO.format(":another")),
        (SMSC.format("one:secret"), SMSC.format("another:secret")),
        ("folder:///one", "folder:///another"),
    ],
)
def test_each_account_at_a_host_is_a_provider(one: str, another: str, tmp_path: Path) -> None:
    pair = [known(url, tmp_path) for url in (one, another)]

    assert pair[0].key != pair[1].key
    assert len({each.name for each in told_apart(pair)}) == 2


@pytest.mark.parametrize(
    ("one", "another"),
    [
        (TWILIO.format("AC1:old"), TWILIO.format("AC1:new") + "&from=Acme&timeout=5s&rate=5/s"),
        (SMSC.format("one:old"), SMSC.format("one:new") + ":2775?window=10&breaker=no"),
    ],
)
def test_an_account_is_one_provider_whatever_its_url_says_beside(
    one: str, another: str, tmp_path: Path
) -> None:
    pair = [known(url, tmp_path) for url in (one, another)]

    assert pair[0] == pair[1]
    assert [each.name for each in told_apart(pair)] == [pair[0].name] * 2


def test_each_medium_has_its_own(tmp_path: Path) -> None:
    email, sms = (known("null://", tmp_path, medium) for medium in ("email", "sms"))

    assert email.key != sms.key
    assert (email.medium, email.name) == ("email", "null://")


def test_operators_see_the_account_and_no_secret(tmp_path: Path) -> None:
    write_key_files(tmp_path)
    urls = {
        TWILIO.format("AC1:hidden"): "https://AC1@api.example.com",
        TWILIO.format("KEY:hidden") + "&account=AC2": "https://AC2@api.example.com",
        TWILIO.format("hidden:"): "https://api.example.com",
        TWILIO.format(":hidden"): "https://api.example.com",
        SMSC.format("id:hidden"): "smpp://id@127.0.0.1:2775",
    }
    assert {url: known(url, tmp_path).name for url in urls} == urls
    token = known("smtp://hidden:hidden@mail.example.com", tmp_path, "email")
    assert token.name == "smtp://mail.example.com:25"
    mail = known("smtp://ann%40example.com:hidden@mail.example.com", tmp_path, "email")
    assert mail.name == "smtp://ann%40example.com@mail.example.com:25"
    assert known("ntfy://ann:hidden@example.com", tmp_path, "push").name == "ntfy://ann@example.com"
    assert known("ntfy://:hidden@example.com", tmp_path, "push").name == "ntfy://example.com"
    assert known(APNS.format(tmp_path, "com.acme"), tmp_path, "push").name == (
        "apns://com.acme@sandbox"
    )
    assert "hidden" not in repr(known(TWILIO.format("hidden:"), tmp_path))


def test_secret_accounts_are_numbered(tmp_path: Path) -> None:
    listed = [known(TWILIO.format(f"{token}:"), tmp_path) for token in ("a", "b", "a", "c")]

    names = [each.name.removeprefix("https://api.example.com") for each in told_apart(listed)]

    assert names == ["", " (2)", "", " (3)"]
