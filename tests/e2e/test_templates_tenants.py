"""`tidings templates … --tenant` as an author runs it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from falcon import testing

from communication.settings import Settings
from tests.templates import write
from tidings.templates.checking import view_of
from tidings.templates.preview.app import create_preview
from tidings.templates.trial import bounded

TIDINGS = Path(sys.executable).with_name("tidings")
DECLARED = '[characteristics.name]\ntype = "string"\nrequired = true\nexample = "Ann"\n'
FILES = {
    "hello/template.toml": DECLARED,
    "hello/sms.txt": "Hi {{ name }}, from {% include '_parts/us.txt' %}.\n",
    "plain/sms.txt": "Plain.\n",
    "_parts/us.txt": "us",
    "_tenants/acme/hello/sms.txt": "Dear {{ name }}, from {% include '_parts/us.txt' %}.\n",
    "_tenants/acme/_parts/us.txt": "acme",
    "_tenants/other/own/sms.txt": "Own.\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path / "templates", FILES)
    return tmp_path / "templates"


def templates(folder: Path, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [TIDINGS, "templates", command, *arguments, "--templates", folder],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
        cwd=folder.parent,
    )


def test_the_check_sees_whatever_any_tenant_sees(folder: Path) -> None:
    sound = json.loads(templates(folder, "check", "--json").stdout)
    assert sound["findings"] == []
    assert sound["templates"] == [
        "hello",
        "plain",
        "_tenants/acme/hello",
        "_tenants/acme/plain",
        "_tenants/other/own",
    ]

    write(folder, {"_tenants/acme/hello/sms.txt": "Dear {{ nmae }}\n", "hello/push.txt": "{{ x"})
    done = templates(folder, "check")

    assert done.returncode == 1
    assert "templates/_tenants/acme/hello/sms.txt:1:9: error" in done.stdout
    assert "    Dear {{ nmae }}" in done.stdout
    assert "So it is for the tenant acme." in done.stdout
    assert done.stdout.count("hello/push.txt:1:1: error") == 1


def test_a_language_in_which_a_tenant_says_nothing_of_its_own_is_warned_of(folder: Path) -> None:
    write(folder, {"hello/sv/sms.txt": "Hej {{ name }}.\n", "hello/de/sms.txt": "{{ name }}.\n"})
    write(folder, {"_tenants/acme/hello/de/sms.txt": "Guten Tag, {{ name }}.\n"})
    done = templates(folder, "check", "hello", "--tenant", "acme")
    assert "_tenants/acme/hello/sms.txt:1:1: warning" in done.stdout
    assert "In Swedish, acme's customers get what all get." in done.stdout
    assert "German" not in done.stdout


def test_one_tenants_view_is_checked_alone(folder: Path) -> None:
    write(folder, {"plain/sms.txt": "{{ broken"})
    assert templates(folder, "check", "own", "--tenant", "other").returncode == 0
    assert templates(folder, "check", "hello", "--tenant", "acme").returncode == 0
    absent = templates(folder, "check", "--tenant", "none")
    assert absent.returncode == 1
    assert "tenants with templates: acme, other" in absent.stderr


def test_a_new_template_can_be_a_tenants(folder: Path) -> None:
    made = templates(folder, "new", "sale", "--tenant", "fresh")
    assert made.returncode == 0, made.stderr
    assert "tidings templates check sale --tenant fresh" in made.stdout
    assert (folder / "_tenants/fresh/sale/sms.txt").is_file()
    assert not (folder / "sale").exists()
    assert templates(folder, "check", "--tenant", "fresh", "sale").returncode == 0

    shared = templates(folder, "new", "hello", "--tenant", "fresh")
    assert "All tenants have a template “hello”" in shared.stderr
    assert "can't be a tenant's name" in templates(folder, "new", "x", "--tenant", "../y").stderr


def test_the_preview_shows_what_a_tenants_customers_get(folder: Path) -> None:
    settings = Settings(templates=folder, bind="127.0.0.1:8081")
    write(folder, {"_tenants/acme/plain/sms.txt": "{{ broken"})
    with bounded() as render:
        app = create_preview(settings, view_of(folder, "acme"), render)
        page = testing.TestClient(app, headers={"Host": "127.0.0.1:8081"})
        assert "Dear Ann, from acme." in page.simulate_get("/templates/hello").text
        assert "<code>_tenants/acme/plain/sms.txt" in page.simulate_get("/templates/plain").text
        assert page.simulate_get("/templates/own").status_code == 404
        overview = page.simulate_get("/").text
    assert "hello" in overview
    assert "/templates/own" not in overview
