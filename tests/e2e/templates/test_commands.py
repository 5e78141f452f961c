"""What the commands on templates say to people, and the templates that they make."""

from pathlib import Path

import pytest

from tests.parcel import SHIPPED, edit, found, run


def test_people_read_where_what_and_what_to_do(folder: Path) -> None:
    edit(folder, "parcel/sms.txt", "{{ name }}", "{{ nmae }}")

    result = run("check", cwd=folder.parent)

    assert result.returncode == 1
    assert result.stdout == (
        "templates/parcel/sms.txt:1:7: error: “nmae” is no characteristic of this template. "
        "[unknown-variable]\n"
        "    Hi {{ nmae }}, your parcel is {{ status }}.\n"
        "          ^\n"
        "    Did you mean name? Else add [characteristics.nmae] to parcel/template.toml.\n"
        "\n"
        "1 template checked: 1 error, 0 warnings.\n"
    )


def test_only_the_named_templates_are_checked(folder: Path) -> None:
    (folder / "other").mkdir()
    (folder / "other/sms.txt").write_text("{{ x")

    result = run("check", "parcel", cwd=folder.parent)

    assert (result.returncode, result.stdout) == (0, "1 template checked: all is well.\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["check", "parcle"], "There is no template “parcle” in templates; there are parcel."),
        (["check", "--templates", "nowhere"], "There is no folder nowhere;"),
        (["new", "parcel"], "templates/parcel is there already;"),
        (["new", "My Parcel"], "How about my-parcel?"),
    ],
    ids=["check unknown", "check nowhere", "new existing", "new bad"],
)
def test_what_can_not_be_done_is_said_in_a_line(
    folder: Path, arguments: list[str], message: str
) -> None:
    result = run(*arguments, cwd=folder.parent)

    assert result.returncode == 1
    assert message in result.stderr
    assert "Traceback" not in result.stderr


def test_a_folder_without_templates_is_no_success(tmp_path: Path) -> None:
    (tmp_path / "templates/_layouts").mkdir(parents=True)

    result = run("check", cwd=tmp_path)

    assert result.returncode == 1
    assert "make one: tidings templates new NAME" in result.stderr


def test_a_new_template_passes_the_check_beside_others(folder: Path) -> None:
    made = run("new", "autumn-sale", cwd=folder.parent)

    assert made.returncode == 0
    assert "tidings templates preview autumn-sale" in made.stdout
    assert found(folder, "--strict") == (0, [])


def test_a_new_template_passes_the_check_in_an_empty_folder(tmp_path: Path) -> None:
    assert run("new", "first", cwd=tmp_path).returncode == 0
    assert found(tmp_path / "templates", "--strict") == (0, [])


def test_every_shipped_template_passes_the_check() -> None:
    result = run("check", "--strict", "--locale", "sv", "--templates", SHIPPED, cwd=SHIPPED.parent)

    assert result.stdout == "4 templates checked: all is well.\n"
    assert result.returncode == 0
