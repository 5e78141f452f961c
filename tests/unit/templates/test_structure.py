"""Files that a template lacks, and files that nothing reads."""

from collections.abc import Sequence

import pytest

from tidings.templates.findings import Finding, Severity
from tidings.templates.structure import check, language_name

EMAIL = ("email.subject.txt", "email.html", "email.txt")
PUSH = ("push.title.txt", "push.txt")
ALL = (*EMAIL, *PUSH, "sms.txt")


def found(
    *files: str, used: Sequence[str] = (), wanted: Sequence[str] = (), default_locale: str = "en"
) -> list[Finding]:
    return list(
        check(
            "a",
            [f"a/{file}" for file in files],
            used=[f"a/{file}" for file in used],
            default_locale=default_locale,
            wanted_locales=wanted,
        )
    )


def only(*files: str, **options: Sequence[str]) -> tuple[str, str, Severity]:
    (finding,) = found(*files, **options)  # type: ignore[arg-type]
    return finding.file, finding.rule, finding.severity


def in_locale(locale: str, *files: str) -> list[str]:
    return [f"{locale}/{file}" for file in files]


@pytest.mark.parametrize("files", [ALL, EMAIL, PUSH, ("sms.txt",), ("template.toml", "sms.txt")])
def test_whole_media_are_well(files: Sequence[str]) -> None:
    assert found(*files) == []


@pytest.mark.parametrize("body", ["email.html", "email.mjml", "email.txt"])
def test_an_email_without_a_subject_is_an_error(body: str) -> None:
    assert only(*{body, "email.txt"}) == (f"a/{body}", "missing-subject", Severity.ERROR)


def test_a_push_without_a_title_is_a_warning() -> None:
    assert only("push.txt") == ("a/push.txt", "missing-subject", Severity.WARNING)


def test_a_subject_without_an_email_is_a_warning() -> None:
    assert only("sms.txt", "email.subject.txt")[:2] == ("a/email.subject.txt", "missing-text")


def test_markup_without_plain_text_is_a_warning() -> None:
    assert only("email.subject.txt", "email.mjml") == (
        "a/email.mjml",
        "no-plain-text",
        Severity.WARNING,
    )


def test_a_whole_translation_is_well_whichever_markup_it_uses() -> None:
    swedish = in_locale("sv", "email.subject.txt", "email.mjml", "email.txt", *PUSH, "sms.txt")

    assert found(*ALL, *swedish) == []


def test_the_files_without_a_translation_are_a_warning() -> None:
    (finding,) = found(*ALL, *in_locale("sv", *EMAIL, "sms.txt"))

    assert (finding.file, finding.rule) == ("a/sv", "missing-translation")
    assert finding.message == (
        "There is no push.title.txt, push.txt in Swedish: people get English instead."
    )


def test_a_region_needs_only_what_differs_from_its_language() -> None:
    assert found(*ALL, *in_locale("pt", *ALL), *in_locale("pt-BR", "sms.txt")) == []


def test_a_region_of_the_default_language_needs_only_what_differs() -> None:
    assert found(*ALL, *in_locale("en-GB", "sms.txt")) == []


def test_a_medium_in_one_language_alone_is_a_warning() -> None:
    (finding,) = found(*EMAIL, *in_locale("sv", *EMAIL, "sms.txt"))

    assert finding.message == (
        "There is an SMS in Swedish alone: who wants another language gets none."
    )


def test_a_wanted_language_that_is_not_there_is_an_error() -> None:
    assert only("sms.txt", wanted=["de"]) == ("a", "missing-translation", Severity.ERROR)
    assert found("sms.txt", "pt/sms.txt", wanted=["pt-BR", "en", "en-GB"]) == []


def test_a_folder_that_is_no_language_is_an_error() -> None:
    assert only("sms.txt", "svenska/sms.txt") == (
        "a/svenska/sms.txt",
        "unknown-language",
        Severity.ERROR,
    )


def test_a_file_that_nothing_uses_is_a_warning_with_what_was_meant() -> None:
    (finding,) = found("sms.txt", "email.subjekt.txt")

    assert (finding.file, finding.rule) == ("a/email.subjekt.txt", "unused-file")
    assert finding.advice == "Is it meant to be email.subject.txt?"


def test_a_file_that_others_include_is_well() -> None:
    assert found("sms.txt", "headline.txt", used=["headline.txt"]) == []


def test_languages_have_the_names_that_people_use() -> None:
    assert (language_name("sv"), language_name("pt-BR")) == ("Swedish", "Portuguese (Brazil)")
