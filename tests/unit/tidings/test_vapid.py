"""`tidings vapid`: the key by which browsers know us."""

from pathlib import Path

from click.testing import CliRunner

from channels.push.key_file import read_p256_key
from tests.devices import public_point
from tidings.cli import main


def shown(path: Path) -> str:
    result = CliRunner().invoke(main, ["vapid", str(path)])
    assert result.exit_code == 0, result.output
    return result.output.strip()


def test_the_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "vapid.pem"

    first, again = shown(path), shown(path)

    assert first == again == public_point(read_p256_key(path))
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_file_that_is_no_key_is_named(tmp_path: Path) -> None:
    path = tmp_path / "vapid.pem"
    path.write_text("hello")

    result = CliRunner().invoke(main, ["vapid", str(path)])

    assert result.exit_code == 1
    assert "vapid.pem is no private key" in result.output
    assert path.read_text() == "hello"
