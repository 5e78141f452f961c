"""Tags that are not closed, as an author is told of them."""

import pytest

from tidings.templates.blocks import unbalanced


@pytest.mark.parametrize(
    ("source", "line", "column", "message"),
    [
        ("a\n  {{ name", 2, 3, "“{{” is never closed by “}}”."),
        ("a {{ name }", 1, 3, "“{{” is never closed by “}}”."),
        ("{% if name %", 1, 1, "“{%” is never closed by “%}”."),
        ("a\n\n{# note", 3, 1, "“{#” is never closed by “#}”."),
        ("{ name }} b", 1, 8, "“}}” stands here without “{{” before it."),
        ("a\n b{% if x %}c", 2, 3, "{% if … %} is never closed."),
        ("{%- for x in y -%}{{ x }}", 1, 1, "{% for … %} is never closed."),
        ("{% set note %}x", 1, 1, "{% set … %} is never closed."),
        ("x {% endif %}", 1, 3, "{% endif %} closes nothing: no {% if … %} is open."),
        (
            "{% if a %}\n{% for x in y %}\n{% endif %}",
            2,
            1,
            "{% for … %} is not closed before {% endif %} in line 3.",
        ),
        ("{% else %}", 1, 1, "{% else %} does not stand between {% if … %} and {% endif %}."),
        (
            "{% block a %}{% elif b %}{% endblock %}",
            1,
            14,
            "{% elif %} does not stand between {% if … %} and {% endif %}.",
        ),
    ],
)
def test_what_is_not_closed_is_found_where_it_begins(
    source: str, line: int, column: int, message: str
) -> None:
    (fault,) = unbalanced(source, plain_text=True)

    assert (fault.line, fault.column, fault.message) == (line, column, message)
    assert fault.advice


@pytest.mark.parametrize(
    "source",
    [
        "{% if a %}b{% elif c %}d{% else %}e{% endif %}",
        "{% for x in y %}{{ x }}{% else %}none{% endfor %}",
        "{% set a = 1 %}{% set b %}c{% endset %}",
        "{{ \"}}\" }}{{ '%}' }}",
        "{% raw %}{{ {% if {% endraw %}",
        "{# {% if %} {{ #}",
        "{%- if a -%} b {%- endif -%}",
        "{% block a %}{% endblock a %}",
        "{% call(x) f() %}{% endcall %}",
    ],
)
def test_what_is_closed_is_well(source: str) -> None:
    assert unbalanced(source, plain_text=True) == []


def test_closing_braces_of_css_are_no_fault() -> None:
    assert unbalanced("@media x { a { color: red }}", plain_text=False) == []
