"""Settings: their defaults, their faults, and what of them may be logged."""

from pathlib import Path

import pytest

from communication.errors import SettingsError
from communication.settings import Settings, load_settings, redacted
from communication.settings_names import unknown

README = Path(__file__).parents[3] / "README.md"


def test_the_defaults_need_no_other_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/tmp")

    settings = load_settings()

    assert settings.database_url == "sqlite:////tmp/var/tidings.sqlite3"
    assert settings.broker_url == settings.redis_url == "memory://"
    assert settings.email_url == settings.sms_url == settings.push_url == "folder://"
    assert settings.public_url == "http://127.0.0.1:8080"


def test_every_fault_is_reported_together() -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(
            bind="nowhere",
            try_times="101",
            broker_url="kafka://x",
            lease="-1",
            operations_allow="10.0.0.0/8,here",
        )

    assert sorted(line.split(":")[0] for line in str(caught.value).splitlines()) == [
        "TIDINGS_BIND",
        "TIDINGS_BROKER_URL",
        "TIDINGS_LEASE",
        "TIDINGS_OPERATIONS_ALLOW",
        "TIDINGS_TRY_TIMES",
    ]


@pytest.mark.parametrize("bind", ["0.0.0.0:8080", "[::]:8080", "192.0.2.1:80", "example.com:80"])
def test_without_authentication_only_loopback_is_bound(bind: str) -> None:
    with pytest.raises(SettingsError, match="without authentication"):
        load_settings(bind=bind)


@pytest.mark.parametrize("bind", ["127.0.0.1:1", "localhost:8080", "[::1]:65535", "127.1.2.3:80"])
def test_loopback_addresses_are_bound(bind: str) -> None:
    assert load_settings(bind=bind).bind == bind


def test_a_data_folder_that_a_url_would_cut_is_refused() -> None:
    with pytest.raises(SettingsError, match="TIDINGS_DATA"):
        load_settings(data="/srv/what?")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("TIDINGS_EMIAL_URL", "TIDINGS_EMAIL_URL"),
        ("tidings_smsurl", "TIDINGS_SMS_URL"),
        ("TIDINGS_SECRET_KEY", "TIDINGS_SECRET_KEYS"),
    ],
)
def test_a_misspelt_name_is_reported_with_the_one_that_is_meant(
    name: str, meant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "smtp://mail.example.com")
    with pytest.raises(SettingsError) as caught:
        load_settings(lease="-1")
    first, second = str(caught.value).splitlines()
    assert first == f"{name.upper()}: there is no such setting; is {meant} meant?"
    assert second.startswith("TIDINGS_LEASE: ")
    with pytest.raises(SettingsError, match=meant):
        load_settings()


def test_so_is_a_misspelt_file_of_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tidings_databse_url").write_text("postgresql://tidings:hush@db/tidings\n")
    monkeypatch.setenv("TIDINGS_SECRETS_DIR", str(tmp_path))
    with pytest.raises(SettingsError, match="is TIDINGS_DATABASE_URL meant"):
        load_settings()


def test_names_that_may_be_others_are_let_through_and_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = set(unknown(Settings.model_fields))
    others = {"TIDINGS_PORT", "TIDINGS_PORT_8080_TCP_ADDR", "TIDINGS_API_SERVICE_HOST"}
    others |= {"TIDINGS_REDIS_PORT", "TIDINGS_REDIS_SERVICE_PORT", "TIDINGS_BASE_URL"}
    ours = ("TIDINGS_TOKEN", "TIDINGS_CLIENT_ID", "TIDINGS_TEST_EVENTS", "TIDINGS_CHANNEL_MEDIUM")
    for name in (*others, *ours):
        monkeypatch.setenv(name, "1")

    load_settings()

    assert set(unknown(Settings.model_fields)) - before == others


def test_a_secret_may_come_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tidings_database_url").write_text("postgresql://tidings:hush@db/tidings\n")
    monkeypatch.setenv("TIDINGS_SECRETS_DIR", str(tmp_path))

    assert load_settings().database_url == "postgresql://tidings:hush@db/tidings"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("smtp://user:hush@host:587", "smtp://***@host:587"),
        ("smtp://a:b@one,smtp://c:d@two", "smtp://***@one,smtp://***@two"),
        ("https://gateway/send?key=hush", "https://gateway/send?***"),
        ("null://?latency=50ms", "null://?***"),
        ("smtp://user:h@sh@host", "smtp://***@host"),
        ("postgresql://user:hu,sh@host/db", "postgresql://***@host/db"),
        ("folder:///srv/out@box", "folder:///srv/out@box"),
        ("folder://", "folder://"),
    ],
)
def test_secrets_in_urls_are_never_shown(url: str, shown: str) -> None:
    assert redacted(url) == shown


def test_every_setting_is_in_the_readme() -> None:
    table = README.read_text()

    missing = [name for name in Settings.model_fields if f"`TIDINGS_{name.upper()}`" not in table]

    assert missing == []
