"""Faults of template.toml, each at its line."""

import pytest

from tidings.templates.declarations import check, declared, language
from tidings.templates.findings import Severity

ONE = '[characteristics.total]\ntype = "number"\n'


@pytest.mark.parametrize(
    ("text", "line", "rule", "message"),
    [
        (ONE + 'example = "much"', 3, "bad-example",
         "The example of “total”, “much”, must be a number such as 12.5."),
        (ONE + 'example = 1\ndefault = "x"', 4, "bad-default",
         "The default of “total”, “x”, must be a number such as 12.5."),
        (ONE + "example = 1\nexampel = 2", 4, "unknown-key", "“exampel” means nothing here."),
        ("descripton = ''", 1, "unknown-key", "“descripton” means nothing here."),
        ("description = 3", 1, "bad-declaration", "The description can't be 3."),
        ("locale = 'svenska'", 1, "bad-declaration",
         "“svenska” is no language that Tidings knows."),
        ("[characteristics.a]\ntype = 'text'", 2, "bad-declaration", "“text” is no type."),
        ("[characteristics.a]\nexample = 'x'\nrequired = 'yes'", 3, "bad-declaration",
         "required of “a” can't be “yes”."),
        ("[characteristics.a]\nallowed = 'x'", 2, "bad-declaration",
         "allowed of “a” can't be “x”."),
        ("[characteristics.a]\nallowed = ['x', 'y']\nexample = 'z'", 3, "bad-example",
         "The example of “a”, “z”, must be one of x, y."),
        ("[characteristics.receiver]\nexample = 'z'", 1, "bad-declaration",
         "“receiver” is a name that every template has already."),
        ("[characteristics.a]\ntype = 'url'\nexample = 'http://example.com'", 3, "link-not-https",
         "The example of “a” begins with http: instead of https:."),
        ("[characteristics.a]\ntype = 'date'\nexample = '30/4 2025'", 3, "bad-example",
         "The example of “a”, “30/4 2025”, must be a date such as 2026-11-21."),
        ("[characteristics]\na = 'x'", 2, "bad-declaration",
         "Each characteristic needs a part of its own."),
        ("\n\na = b", 3, "bad-declaration",
         "template.toml can't be read from here on: Invalid value."),
        ("characteristics = 3", 1, "bad-declaration",
         "Each characteristic needs a part of its own."),
        ("a = " + "[" * 10_000, 1, "bad-declaration",
         "template.toml can't be read from here on: it is nested too deeply."),
        ('a = 1\nb = "c', 2, "bad-declaration",
         "template.toml can't be read from here on: Unterminated string."),
    ],
)  # fmt: skip
def test_faults_are_found_at_their_line(text: str, line: int, rule: str, message: str) -> None:
    (flaw,) = check(text)

    assert (flaw.line, flaw.rule, flaw.message) == (line, rule, message)
    assert flaw.severity is Severity.ERROR
    assert flaw.advice


@pytest.mark.parametrize(
    ("text", "line", "rule"),
    [
        ("[characteristics.a]\ntype = 'string'", 1, "no-example"),
        ("[characteristics.a]\nexample = 'x'\nrequired = true\ndefault = 'y'", 4,
         "bad-declaration"),
    ],
)  # fmt: skip
def test_what_is_untidy_is_a_warning(text: str, line: int, rule: str) -> None:
    (flaw,) = check(text)

    assert (flaw.line, flaw.rule, flaw.severity) == (line, rule, Severity.WARNING)


def test_all_faults_are_found_at_once() -> None:
    text = "descripton = 'a'\n[characteristics.a]\ntype = 'strin'\n[characteristics.b]\nexmple = 3"

    assert [flaw.line for flaw in check(text) if flaw.severity is Severity.ERROR] == [1, 3, 5]


def test_a_sound_declaration_has_no_faults() -> None:
    text = """
description = "About an order."
locale = "en"

[characteristics."order-id"]
type = "string"
example = "4711"

[characteristics.day]
type = "date"
example = 2025-04-30
required = false

[characteristics.price]
type = "money"
example = { unit = "EUR", value = 9.5 }

[characteristics.lines]
type = "list"
example = [
  { name = "Phone" },
]

[characteristics.currency]
default = "EUR"
allowed = ["EUR", "SEK"]
"""
    assert check(text) == []


def test_names_are_known_with_their_lines_unless_nothing_can_be_read() -> None:
    assert declared("[characteristics.a]\n\n[characteristics.'b-c']") == {"a": 1, "b-c": 3}
    assert declared("") == {}
    assert declared("characteristics = 3") is None
    assert declared("a = ") is None


def test_the_language_is_known_if_it_is_one() -> None:
    assert [language(text) for text in ("locale = 'sv'", "locale = 3", "", "locale =")] == [
        "sv", "", "", "",
    ]  # fmt: skip
