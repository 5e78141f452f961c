"""Commands that need a database, where nothing has made its schema."""

import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner

from tidings.cli import main

COMMANDS = [
    "purge --days 1",
    "keys reseal",
    "forget --receiver ann@example.com",
    "suppression list",
    "api",
]


@pytest.fixture(params=["nothing", "a folder", "an empty database"])
def folder(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    data = tmp_path / "var"
    if request.param != "nothing":
        data.mkdir()
    if request.param == "an empty database":
        sqlite3.connect(data / "tidings.sqlite3").close()
    monkeypatch.setenv("TIDINGS_DATA", str(data))
    return data


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.usefixtures("folder")
def test_a_command_says_what_makes_the_schema(command: str) -> None:
    result = CliRunner().invoke(main, command.split())
    assert result.exit_code == 1
    assert result.stderr.startswith("tidings: the schema of sqlite:///")
    assert result.stderr.endswith("run `tidings db upgrade`\n")
    assert result.stderr.count("\n") == 1


def test_a_trial_goes_without_a_registry_of_devices(folder: Path) -> None:
    trial = ["channels", "test", "null://", "--to", "ann", "--medium", "push"]
    result = CliRunner().invoke(main, trial)
    assert (result.exit_code, "took it in" in result.stdout) == (0, True), result.output
    assert not list(folder.glob("*.sqlite3")) or not (folder / "tidings.sqlite3").stat().st_size
