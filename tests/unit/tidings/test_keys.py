"""Keys and tokens for development."""

import stat
from pathlib import Path

import pytest
from click.testing import CliRunner

from api.tokens import open_tokens
from communication.settings import Settings
from tidings.cli import main


def run(*arguments: str) -> str:
    result = CliRunner().invoke(main, list(arguments))
    assert result.exit_code == 0, result.output
    return result.stdout.strip()


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TIDINGS_DATA", str(tmp_path))
    return tmp_path


def test_a_token_is_good_with_the_keys_that_were_made(data: Path) -> None:
    told = run("keys", "new")
    first = run("token", "--client", "shop", "--tenant", "acme", "--scope", "hub:write admin")
    run("keys", "new")
    second = run("token", "--client", "shop", "--scope", "admin", "--scope", "events:read")

    tokens = open_tokens(Settings(jwks=told.removeprefix("TIDINGS_JWKS=")))
    assert tokens is not None
    caller = tokens.caller(first)
    assert (caller.tenant, caller.client) == ("acme", "shop")
    assert caller.scopes == {"hub:write", "admin"}
    assert tokens.caller(second).scopes == {"admin", "events:read"}
    assert stat.S_IMODE((data / "keys" / "signing.json").stat().st_mode) == 0o600
    assert b'"d"' not in (data / "keys" / "jwks.json").read_bytes()


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ("--scope=communication:rad nonsense", "--scope communication:rad nonsense: no such scope"),
        ("--scope= ", "--scope '': no such scope; there are admin, communication:read"),
        ("--client=", "--client '': must be"),
        ("--client=a\nb", "--client 'a\\nb': must be"),
        ("--tenant=bad tenant", "--tenant 'bad tenant': must be"),
        ("--seconds=-5", "'--seconds'"),
        ("--seconds=0", "'--seconds'"),
    ],
)
def test_a_token_that_is_good_for_nothing_is_not_made(argument: str, said: str) -> None:
    run("keys", "new")
    good = [one for one in ("--client=c", "--scope=admin") if one[:5] != argument[:5]]
    result = CliRunner().invoke(main, ["token", *good, argument])
    assert (result.exit_code != 0, result.stdout) == (True, "")
    assert said in result.stderr


def test_without_a_key_the_way_to_one_is_told() -> None:
    result = CliRunner().invoke(main, ["token", "--client", "shop", "--scope", "admin"])
    assert (result.exit_code, "tidings keys new" in result.stderr) == (1, True)
