"""Faults of markup, at the place in the file where an author wrote it."""

from collections.abc import Mapping

import pytest
from jinja2 import DictLoader, Environment

from tidings.templates.findings import Severity
from tidings.templates.markup import Flaw, flaws, marked, without_marks


def found(sources: Mapping[str, str], **values: object) -> list[Flaw]:
    return flaws(rendered(sources, **values), sources)


def rendered(sources: Mapping[str, str], **values: object) -> str:
    environment = Environment(loader=DictLoader(dict(marked(sources))), autoescape=True)
    return environment.get_template(next(iter(sources))).render(values)


def only(sources: Mapping[str, str], **values: object) -> tuple[str, int, int, str, str]:
    (flaw,) = found(sources, **values)
    return flaw.file, flaw.line, flaw.column, flaw.rule, flaw.message


def test_marks_change_nothing_else() -> None:
    source = '<p>{% if a %}<b title="<i>">x</b>{%- endif %}\n  <br></p><!-- <a> -->'
    plain = Environment(autoescape=True).from_string(source).render(a=1)

    assert without_marks(rendered({"a.html": source}, a=1)) == plain


def test_plain_text_gets_no_marks() -> None:
    assert marked({"sms.txt": "<b>"}) == {"sms.txt": "<b>"}


def test_a_tag_that_is_never_closed_is_found_where_it_begins() -> None:
    assert only({"a.html": "<div>\n  <p>a <b>b</p>\n</div>"}) == (
        "a.html", 2, 8, "unclosed-tag", "<b> is never closed before </p>.",
    )  # fmt: skip


def test_a_tag_that_is_left_open_to_the_end_is_found() -> None:
    assert only({"a.html": "<div>\n<table></table>"})[1:4] == (1, 1, "unclosed-tag")


def test_a_tag_that_closes_nothing_is_found() -> None:
    assert only({"a.html": "<div>a</div>\n b</div>"}) == (
        "a.html", 2, 3, "unclosed-tag", "</div> closes nothing: no <div> is open here.",
    )  # fmt: skip


def test_tags_that_browsers_close_are_a_warning() -> None:
    flaws = found({"a.html": "<ul><li>a<li>b</ul>"})

    assert [flaw.severity for flaw in flaws] == [Severity.WARNING, Severity.WARNING]


def test_either_branch_may_open_what_is_closed_after_both() -> None:
    source = "{% if a %}<td>{% else %}<td class='b'>{% endif %}x</td>"

    assert found({"a.html": source}, a=True) == []
    assert found({"a.html": source}, a=False) == []


def test_a_fault_in_a_partial_is_found_in_the_partial() -> None:
    sources = {"a.html": "<p>a</p>\n{% include 'b.html' %}", "b.html": "\n\n  <img src='cid:x'>"}

    assert only(sources)[:4] == ("b.html", 3, 3, "image-without-alt")


@pytest.mark.parametrize("tag", ['<img src="cid:x" alt="">', '<img src="cid:x" alt="A phone">'])
def test_images_with_alt_are_well(tag: str) -> None:
    assert found({"a.html": tag}) == []


@pytest.mark.parametrize(
    ("address", "fault"),
    [
        ("http://example.com", "begins with http: instead of https:"),
        ("HTTP://example.com", "begins with http: instead of https:"),
        ("javascript:alert(1)", "begins with javascript: instead of https:"),
        ("/orders", "is no whole address: an email has no site of its own"),
        ("", "leads nowhere"),
        ("https://[", "is no address"),
    ],
)
def test_links_that_are_not_https_are_found_even_if_a_value_makes_them(
    address: str, fault: str
) -> None:
    sources = {"a.html": '<p>\n<a href="{{ link }}">a</a></p>'}

    file, line, column, rule, message = only(sources, link=address)

    assert (file, line, column, rule) == ("a.html", 2, 1, "link-not-https")
    assert message == f'href="{address}" of <a> {fault}.'


@pytest.mark.parametrize(
    "address",
    ["https://example.com/?a=1&b=2", "mailto:a@example.com", "tel:+46701234567", "#top"],
)
def test_safe_links_are_well(address: str) -> None:
    assert found({"a.html": '<a href="{{ link }}">a</a>'}, link=address) == []


def test_a_page_without_its_language_is_found() -> None:
    (flaw,) = found({"a.html": "<!doctype html>\n<html><body></body></html>"})

    assert (flaw.line, flaw.rule, flaw.severity) == (2, "no-language", Severity.WARNING)


def test_mjml_that_does_not_exist_is_found_with_what_was_meant() -> None:
    (flaw,) = found({"a.mjml": "<mjml><mj-body><mj-buton>a</mj-buton></mj-body></mjml>"})

    assert (flaw.column, flaw.rule) == (16, "unknown-tag")
    assert flaw.advice == "Did you mean <mj-button>?"


def test_mjml_elements_may_close_themselves() -> None:
    assert found({"a.mjml": '<mjml><mj-head><mj-all color="red" /></mj-head></mjml>'}) == []
