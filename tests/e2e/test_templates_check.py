"""`tidings templates check` and `new` as an author or a CI job runs them."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

TIDINGS = Path(sys.executable).with_name("tidings")
SHIPPED = Path(__file__).parents[2] / "templates"

SOUND = {
    "template.toml": """\
description = "A parcel is on its way."

[characteristics.name]
type = "string"
required = true
example = "Ann"

[characteristics.status]
type = "string"
required = true
allowed = ["sent", "late"]
example = "sent"

[characteristics.link]
type = "url"
required = false
example = "https://example.com/p/1"

[characteristics.lines]
type = "list"
required = true
example = [{ what = "Phone", price = 9 }]
""",
    "sms.txt": "Hi {{ name }}, your parcel is {{ status }}.\n",
    "email.subject.txt": "Your parcel is {{ status }}\n",
    "email.html": """\
{% extends "_layouts/page.html" %}
{% block content %}
<p>Hi {{ name }},</p>
{% for line in lines %}
{% include "_partials/line.html" %}
{% endfor %}
{% if link %}<a href="{{ link }}">Follow it</a>{% endif %}
{% endblock %}
""",
    "email.txt": "Hi {{ name }},\nyour parcel is {{ status }}.\n",
    "push.title.txt": "Your parcel\n",
    "push.txt": "It is {{ status }}.\n",
}
SHARED = {
    "_layouts/page.html": '<html lang="{{ locale }}"><body>\n'
    "{% block content %}{% endblock %}\n</body></html>\n",
    "_partials/line.html": '<p>{{ line.what }}: {{ line.price|currency("EUR") }}</p>\n',
}


FAULTS = [
    ("sms.txt", "{{ name }}", "{{ nmae }}", (1, 7), "unknown-variable"),
    ("email.html", "{{ name }}", "{{ nam }}", (3, 10), "unknown-variable"),
    ("sms.txt", "{{ name }}", "{{ name", (1, 4), "unclosed-tag"),
    ("email.txt", "your", "{% if link %}your", (2, 1), "unclosed-tag"),
    ("email.html", "{% endfor %}\n", "", (4, 1), "unclosed-tag"),
    ("email.html", "Hi {{", "Hi <b>{{", (3, 7), "unclosed-tag"),
    ("sms.txt", "{{ name }}", "{{ the name }}", (1, 11), "syntax"),
    ("sms.txt", "{{ name }}", "{% fi name %}", (1, 7), "syntax"),
    ("sms.txt", "{{ name }}", "{{ name|uper }}", (1, 12), "unknown-filter"),
    ("email.html", "_partials/line.html", "_partials/lines.html", (5, 13),
     "missing-file"),
    ("sms.txt", "Hi", "Hi" * 240, (1, 1), "sms-too-long"),
    ("sms.txt", "Hi", "Привет " * 30, (1, 1), "sms-too-long"),
    ("email.html", "<p>", "<img src='https://example.com/a.png'><p>", (3, 1),
     "image-without-alt"),
    ("email.html", "<p>", "<p><a href='http://example.com'>x</a>", (3, 4),
     "link-not-https"),
    ("email.html", "{{ link }}", "{{ name }}", (7, 14), "link-not-https"),
    ("email.txt", "your", "http://example.com your", (2, 1), "link-not-https"),
    ("template.toml", "https://example.com/p/1", "http://example.com/p/1", (17, 1),
     "link-not-https"),
    ("template.toml", '"string"', '"text"', (4, 1), "bad-declaration"),
    ("template.toml", 'example = "Ann"', 'exmple = "Ann"', (6, 1), "unknown-key"),
    ("template.toml", 'example = "Ann"', "example = 3", (6, 1), "bad-example"),
    ("template.toml", 'example = "sent"', 'example = "lost"', (12, 1),
     "bad-example"),
    ("template.toml", "required = true", "required = true yes", (5, 17),
     "bad-declaration"),
    ("push.title.txt", "Your parcel", "{% if status == 'sent' %}Sent{% endif %}",
     (1, 1), "missing-subject"),
    ("email.subject.txt", "Your parcel is {{ status }}",
     "{% if link %}Follow it{% endif %}", (1, 1), "missing-subject"),
    ("push.txt", "It is {{ status }}.", "{% if link %}{{ link }}{% endif %}", (1, 1),
     "empty"),
    ("sms.txt", "{{ name }}", "{{ lines|date }}", (1, 1), "broken"),
    ("sms.txt", SOUND["sms.txt"], "", (1, 1), "broken"),
]  # fmt: skip
"""An edit of one of the files above, then line, column and rule of what is found."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A templates folder with one sound template, `parcel`."""
    write(tmp_path / "templates", SHARED)
    write(tmp_path / "templates/parcel", SOUND)
    return tmp_path / "templates"


@pytest.fixture(scope="module")
def errors(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, Any]]]:
    """The errors of one template for each of FAULTS, in one folder, by the templates' names."""
    folder = tmp_path_factory.mktemp("faults") / "templates"
    write(folder, SHARED)
    for number, (file, old, new, _, _) in enumerate(FAULTS):
        write(folder / f"fault{number}", SOUND)
        edit(folder, f"fault{number}/{file}", old, new)
    status, findings = found(folder)
    assert status == 1
    return {
        f"fault{number}": [
            one
            for one in findings
            if one["template"] == f"fault{number}" and one["severity"] == "error"
        ]
        for number in range(len(FAULTS))
    }


def write(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def run(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [TIDINGS, "templates", *arguments],
        cwd=cwd, capture_output=True, text=True, timeout=60, check=False, encoding="utf-8",
    )  # fmt: skip


def found(folder: Path, *options: str) -> tuple[int, list[dict[str, Any]]]:
    """Exit status and findings."""
    result = run("check", "--json", *options, cwd=folder.parent)
    assert result.stderr == ""
    return result.returncode, json.loads(result.stdout)["findings"]


def edit(folder: Path, file: str, old: str, new: str) -> None:
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_a_sound_template_has_no_findings(folder: Path) -> None:
    assert found(folder) == (0, [])


@pytest.mark.parametrize(
    "number", range(len(FAULTS)), ids=[f"{n}-{fault[4]}" for n, fault in enumerate(FAULTS)]
)
def test_every_kind_of_error_is_found_at_its_place(
    number: int, errors: dict[str, list[dict[str, Any]]]
) -> None:
    file, _, _, place, rule = FAULTS[number]

    (error,) = errors[f"fault{number}"]

    assert (error["line"], error["column"], error["rule"]) == (*place, rule)
    assert error["file"] == f"fault{number}/{file}"
    assert error["message"].endswith(".")
    assert error["advice"]


@pytest.mark.parametrize(
    ("file", "old", "new", "place", "rule"),
    [
        ("_partials/line.html", "line.what", "line.waht", (1, 12), "unknown-variable"),
        ("_partials/line.html", "<p>", "<p><i>", (1, 4), "unclosed-tag"),
        ("_layouts/page.html", "\n</body>", "\n</div></body>", (3, 1), "unclosed-tag"),
    ],
)
def test_a_fault_of_a_shared_file_is_found_there_once(
    folder: Path, file: str, old: str, new: str, place: tuple[int, int], rule: str
) -> None:
    write(folder / "other", SOUND)
    edit(folder, file, old, new)

    status, (finding,) = found(folder)

    assert status == 1
    assert (finding["file"], finding["line"], finding["column"]) == (file, *place)
    assert finding["rule"] == rule


def test_what_shows_in_one_case_alone_says_in_which(folder: Path) -> None:
    edit(
        folder,
        "parcel/sms.txt",
        "{{ status }}",
        "{% if status == 'late' %}{{ lines[0].whta }}{% endif %}",
    )

    _, (finding,) = found(folder)

    assert (finding["file"], finding["line"], finding["rule"]) == (
        "parcel/sms.txt", 1, "unknown-variable",
    )  # fmt: skip
    assert finding["case"] == "in English, with status = late"


@pytest.mark.parametrize(
    ("removed", "place", "rule", "severity"),
    [
        ("email.subject.txt", "parcel/email.html", "missing-subject", "error"),
        ("push.title.txt", "parcel/push.txt", "missing-subject", "warning"),
        ("email.txt", "parcel/email.html", "no-plain-text", "warning"),
        ("push.txt", "parcel/push.title.txt", "missing-text", "warning"),
        ("template.toml", "parcel", "no-declaration", "warning"),
    ],
)
def test_a_file_that_is_missing_is_found(
    folder: Path, removed: str, place: str, rule: str, severity: str
) -> None:
    (folder / "parcel" / removed).unlink()

    status, findings = found(folder)

    assert status == (1 if severity == "error" else 0)
    assert (place, rule, severity) in [
        (one["file"], one["rule"], one["severity"]) for one in findings
    ]


def test_a_translation_that_is_not_whole_is_a_warning(folder: Path) -> None:
    (folder / "parcel/sv").mkdir()
    (folder / "parcel/sv/sms.txt").write_text("Hej {{ name }}, {{ status }}.\n")

    status, findings = found(folder)

    assert status == 0
    assert {one["rule"] for one in findings} == {"missing-translation"}
    assert findings[0]["message"].startswith("There is no email.html, email.subject.txt, email")
    assert found(folder, "--strict")[0] == 1


def test_a_fault_of_a_translation_alone_is_found(folder: Path) -> None:
    (folder / "parcel/sv").mkdir()
    for name in SOUND.keys() - {"template.toml"}:
        (folder / "parcel/sv" / name).write_text(SOUND[name])
    edit(folder, "parcel/sv/push.txt", "{{ status }}", "{{ statsu }}")

    _, (finding,) = found(folder)

    assert (finding["file"], finding["column"]) == ("parcel/sv/push.txt", 10)


def test_a_language_that_is_wanted_must_be_there(folder: Path) -> None:
    status, (finding,) = found(folder, "--locale", "sv", "--locale", "en")

    assert (status, finding["rule"]) == (1, "missing-translation")
    assert finding["message"] == "There is no Swedish at all."


def test_a_characteristic_that_no_text_uses_is_a_warning(folder: Path) -> None:
    edit(
        folder, "parcel/email.html", '{% if link %}<a href="{{ link }}">Follow it</a>', "{% if 1 %}"
    )

    status, (finding,) = found(folder)

    assert (status, finding["file"], finding["line"], finding["rule"]) == (
        0, "parcel/template.toml", 14, "unused-characteristic",
    )  # fmt: skip


def test_a_name_that_is_not_put_in_is_a_warning(folder: Path) -> None:
    edit(folder, "parcel/sms.txt", "{{ name }}, your", "{name}, $name, {x} $5 {{ name }} your")

    status, findings = found(folder)

    assert status == 0
    assert [(one["column"], one["rule"], one["advice"]) for one in findings] == [
        (4, "missed-variable", "Write {{ name }}."), (12, "missed-variable", "Write {{ name }}."),
    ]  # fmt: skip


def test_a_file_with_a_name_like_those_that_are_read_is_a_warning(folder: Path) -> None:
    (folder / "parcel/email.htm").write_text("x")
    (folder / "parcel/notes.docx").write_text("x")

    status, (finding,) = found(folder)

    assert (status, finding["file"]) == (0, "parcel/email.htm")
    assert finding["advice"] == "Is it meant to be email.html?"


def test_typography_that_makes_an_sms_dearer_is_a_warning_where_it_is_not_simplified(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit(folder, "parcel/sms.txt", "Hi", "It\N{RIGHT SINGLE QUOTATION MARK}s here" * 8)

    assert found(folder) == (0, [])
    monkeypatch.setenv("TIDINGS_SMS_SIMPLIFY", "false")
    status, (finding,) = found(folder)

    assert (status, finding["rule"]) == (0, "dear-characters")


def test_the_most_segments_of_an_sms_can_be_chosen(folder: Path) -> None:
    edit(folder, "parcel/sms.txt", "Hi", "Hi" * 80)

    assert found(folder) == (0, [])
    assert found(folder, "--sms-segments", "1")[0] == 1


def test_a_file_that_is_no_text_is_found(folder: Path) -> None:
    (folder / "parcel/sms.txt").write_bytes("Hej då\nvän".encode("latin-1"))

    status, (finding,) = found(folder)

    assert (status, finding["file"], finding["line"]) == (1, "parcel/sms.txt", 1)
    assert "UTF-8" in finding["message"]


def test_a_template_that_never_ends_does_not_hold_up_the_check(folder: Path) -> None:
    edit(
        folder,
        "parcel/sms.txt",
        "{{ name }}",
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
    )

    status, findings = found(folder)

    assert status == 1
    assert (findings[0]["file"], findings[0]["rule"]) == ("parcel/sms.txt", "too-slow")


def test_mjml_is_checked_like_html(folder: Path) -> None:
    (folder / "parcel/email.html").unlink()
    (folder / "parcel/email.mjml").write_text(
        "<mjml lang='en'><mj-body><mj-section><mj-column>\n"
        "  <mj-image src='https://example.com/a.png' />\n"
        "  <mj-buton href='{{ link or 'http://example.com' }}'>{{ lines|length }}</mj-buton>\n"
        "</mj-column></mj-section></mj-body></mjml>\n"
    )

    _, findings = found(folder)

    assert [(one["line"], one["column"], one["rule"]) for one in findings] == [
        (2, 3, "image-without-alt"), (3, 3, "unknown-tag"), (3, 3, "link-not-https"),
    ]  # fmt: skip


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
