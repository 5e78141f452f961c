"""What keeps a part from starting is told in a line."""

import gc
from pathlib import Path

import pytest
from click.testing import CliRunner
from structlog.testing import capture_logs

from communication.errors import SettingsError
from communication.settings import Settings
from tidings.cli import main
from tidings.parts import run_relay, run_workers
from tidings.start import loading, start
from tidings.up import run_all


def test_a_data_folder_that_can_not_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = CliRunner().invoke(main, ["up", "--data", f"{tmp_path}/file/data"])
    assert result.exit_code == 1
    assert result.output.startswith("tidings: TIDINGS_DATA: ")
    assert len(result.output.splitlines()) == 1


def test_what_is_wrong_with_keys_and_channels_is_told_together(tmp_path: Path) -> None:
    settings = Settings(
        data=tmp_path, jwks=str(tmp_path / "none"), email_url="smtp://h?rate=1", sms_url="foo://"
    )
    with pytest.raises(SettingsError) as caught:
        run_all(settings)
    named = [line.split(": ")[0] for line in str(caught.value).splitlines()]
    assert named == ["TIDINGS_JWKS", "TIDINGS_SMS_URL", "TIDINGS_EMAIL_URL"]


def test_names_that_are_no_settings_are_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tidings.start.configure_logging", lambda *_, **__: None)
    monkeypatch.setenv("TIDINGS_PORT", "tcp://10.0.0.1:8080")
    with capture_logs() as lines:
        start("api", data=str(tmp_path))
    (warning,) = [line for line in lines if line["event"] == "no such settings"]
    assert "TIDINGS_PORT" in warning["names"]
    assert "10.0.0.1" not in repr(lines)


@pytest.mark.parametrize(
    ("bind", "public_url", "told"),
    [
        ("0.0.0.0:8080", "", ["http://0.0.0.0:8080"]),
        ("[::]:8080", "", ["http://[::]:8080"]),
        ("0.0.0.0:8080", "https://tidings.example.com", []),
        ("127.0.0.1:8080", "", []),
        ("localhost:8080", "", []),
    ],
)
def test_urls_that_lead_nowhere_are_a_warning(
    bind: str, public_url: str, told: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tidings.start.configure_logging", lambda *_, **__: None)
    with capture_logs() as lines:
        start("api", data=str(tmp_path), jwks="keys.json", bind=bind, public_url=public_url)
    assert [one["now"] for one in lines if "TIDINGS_PUBLIC_URL" in one["event"]] == told


def test_parts_of_their_own_need_a_broker_that_all_can_reach() -> None:
    with pytest.raises(SettingsError, match="TIDINGS_BROKER_URL"):
        run_relay(Settings())
    with pytest.raises(SettingsError, match="TIDINGS_BROKER_URL"):
        run_workers(Settings(), [])


def test_garbage_is_collected_again_once_a_process_is_loaded() -> None:
    with loading():
        assert not gc.isenabled()
    assert gc.isenabled()
    assert gc.get_freeze_count()
    gc.unfreeze()
