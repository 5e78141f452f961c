"""`tidings templates check` as an author or a CI job runs it."""

from pathlib import Path

import pytest

from tests.parcel import SOUND, edit, found


def test_a_sound_template_has_no_findings(folder: Path) -> None:
    assert found(folder) == (0, [])


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
