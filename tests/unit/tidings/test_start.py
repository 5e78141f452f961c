"""What keeps a part from starting is told in a line."""

import gc
from pathlib import Path

import pytest
from click.testing import CliRunner

from communication.errors import SettingsError
from communication.settings import Settings
from tidings.cli import main
from tidings.parts import run_relay, run_workers
from tidings.start import loading


def test_a_data_folder_that_can_not_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = CliRunner().invoke(main, ["up", "--data", f"{tmp_path}/file/data"])
    assert result.exit_code == 1
    assert result.output.startswith("tidings: TIDINGS_DATA: ")
    assert len(result.output.splitlines()) == 1


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
