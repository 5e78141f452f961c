"""Pages laid out once for many values, and what must not be carried past the layout."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html as lxml_html

from communication.catalogue.catalogue import Medium
from tests.templates import snapshot
from worker.templates.marks import MARK, Marks
from worker.templates.page import Page, PageError, PageMaker
from worker.templates.rendering import CompiledTemplate

HTML = """<!doctype html><html><head><title>{{ a }}</title>
<style>p.red { color: red } .{{ css }} { margin: 0 }</style></head>
<body><p class="red">Dear {{ a }},</p>{% if b %}<p>{{ b }} and <a href="https://x.example/{{ a }}"
title='{{ b }}'>{{ b }}</a></p>{% endif %}
<table>{% for one in items %}<tr><td class="{{ css }}">{{ one }}</td></tr>{% endfor %}</table>
</body></html>"""
MJML = """<mjml><mj-head><mj-title>{{ a }}</mj-title></mj-head><mj-body><mj-section><mj-column>
{% for one in items %}<mj-text css-class="{{ css }}">{{ one }} {{ a }}</mj-text>{% endfor %}
<mj-button href="https://x.example/{{ b }}" background-color="{{ colour }}">{{ b }}</mj-button>
</mj-column></mj-section></mj-body></mjml>"""
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


def marked(file: str, source: str, values: dict[str, Any]) -> str:
    template = CompiledTemplate(snapshot({file: source}), None)
    return template.render(Medium.EMAIL, values, receiver={}, subject="s").html or ""


def unmarked(file: str, source: str, values: dict[str, Any]) -> str:
    """The same with every value in its place before the page is laid out."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("worker.templates.page._fixed", lambda _source, count: range(count))
        return marked(file, source, values)


def nodes(markup: str) -> list[object]:
    return [
        (one.tag, dict(one.attrib), one.text, one.tail)
        for one in lxml_html.document_fromstring(markup).iter()
    ]


@pytest.mark.parametrize(("file", "source"), [("email.html", HTML), ("email.mjml", MJML)])
@given(a=TEXT, b=TEXT, items=st.lists(TEXT, max_size=3), css=st.sampled_from(["red", "x"]))
def test_a_page_with_marks_is_the_page_with_the_values(
    file: str, source: str, a: str, b: str, items: list[str], css: str
) -> None:
    values = {"a": a, "b": b, "items": items, "css": css, "colour": "#123456"}

    assert nodes(marked(file, source, values)) == nodes(unmarked(file, source, values))


def pages(source: str, *values: list[str]) -> list[Page]:
    maker = PageMaker()
    return [maker.page(source, one) for one in values]


def marks(*values: str) -> list[str]:
    made = Marks()
    return [str(made.mark(value)) for value in values]


@pytest.mark.parametrize(
    ("markup", "shared"),
    [
        ("<p>{}</p>", True),
        ('<a href="{}">x</a>', True),
        ("<a href='https://x.example/{}'>x</a>", True),
        ('<img alt="a > b" src="{}">', True),
        ('<p class="{}">x</p>', False),
        ("<p {}>x</p>", False),
        ("<a href={}>x</a>", False),
        ("<style>p {{ color: {} }}</style><p>x</p>", False),
        ("<style>[title=a] {{ color: red }}</style><p title='{}'>x</p>", False),
        ("<!--[if mso]>{}<![endif]--><p>x</p>", False),
    ],
)
def test_a_page_is_shared_where_layout_does_not_look_at_values(
    markup: str, *, shared: bool
) -> None:
    (mark,) = marks("one")
    first, second = pages(markup.format(mark), ["one"], ["two"])

    assert (first is second) == shared
    assert "two" in second.html(["two"])


def test_styles_reach_elements_whose_class_is_a_value() -> None:
    (mark,) = marks("red")
    (page,) = pages(f"<style>.red {{ color: red }}</style><p class='{mark}'>x</p>", ["red"])

    assert 'style="color: red;"' in page.html(["red"])


def test_values_do_not_take_the_place_of_others() -> None:
    first, second = marks("1", "2")
    (page,) = pages(f"<p>{second} {first}</p>", ["", ""])

    assert page.text(["a\n b", MARK.pattern]) == f"{MARK.pattern} a b"


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", " JavaScript:x", "data:text/html,x", "java\nscript:x"]
)
def test_no_address_runs_code(address: str) -> None:
    (mark,) = marks("x")
    (page,) = pages(f'<a href="{mark}">x</a>', ["x"])

    with pytest.raises(PageError, match="an address may not begin with"):
        page.html([address])


def test_an_address_may_be_of_the_web_or_of_mail() -> None:
    (mark,) = marks("x")
    (page,) = pages(f'<a href="{mark}">x</a>', ["x"])

    for address in ("https://x.example/a:b", "mailto:a@x.example", "/a?b=c:d", "tel:+46"):
        assert address in page.html([address])


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("<mjml><mj-body><mj-text>a</mj-body></mjml>", "MJML: "),
        ("<mjml></mj-body></mjml>", "MJML: "),
        ('<mjml><mj-body><mj-include path="/etc/passwd" /></mj-body></mjml>', "mj-include is not"),
        ('<mjml><mj-head><mj-include path="a.css" type="css" /></mj-head></mjml>', "MJML: "),
    ],
)
def test_mjml_that_can_not_be_compiled_is_told(source: str, said: str) -> None:
    with pytest.raises(PageError, match=said):
        pages(source, [])


def test_no_other_file_or_host_is_asked_for_styles() -> None:
    (page,) = pages(
        '<link rel="stylesheet" href="file:///etc/passwd">'
        '<link rel="stylesheet" href="http://127.0.0.1:9/x.css"><p>x</p>',
        [],
    )

    assert "root:" not in page.html([])
