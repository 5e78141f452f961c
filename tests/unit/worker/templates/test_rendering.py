"""Messages from templates: every medium, locales, values, and what hostile ones come to."""

from typing import Any

import pytest

from communication.catalogue.catalogue import Fault, Medium
from tests.templates import snapshot
from worker.templates.rendering import LONGEST, Rendered, RenderError, render

EMAIL = {"email.html": "<p>Dear {{ Name }}</p>", "email.subject.txt": "For {{ Name }}"}


def sms(text: str, **values: Any) -> str:
    return render(snapshot({"sms.txt": text}), Medium.SMS, values=values).text


def email(files: dict[str, str], **values: Any) -> Rendered:
    return render(snapshot(EMAIL | files), Medium.EMAIL, values=values)


def fault(text: str, **values: Any) -> Fault:
    with pytest.raises(RenderError) as caught:
        sms(text, **values)
    return caught.value.fault


def test_an_email_has_subject_text_and_html() -> None:
    rendered = email({}, Name="Ann & Bo")

    assert rendered.subject == "For Ann & Bo"
    assert rendered.text == "Dear Ann & Bo"
    assert "<p>Dear Ann &amp; Bo</p>" in (rendered.html or "")


def test_an_authors_own_text_goes_before_the_derived_one() -> None:
    assert email({"email.txt": "Hi {{ Name }}"}, Name="Ann").text == "Hi Ann"


def test_an_email_may_be_text_alone() -> None:
    found = snapshot({"email.txt": "Hi", "email.subject.txt": "Hello"})

    assert render(found, Medium.EMAIL, values={}) == Rendered(subject="Hello", text="Hi")


def test_mjml_is_compiled_and_css_inlined() -> None:
    body = "<mjml><mj-body><mj-section><mj-column><mj-text>{{ Name }}</mj-text></mj-column>"
    found = snapshot({"email.mjml": f"{body}</mj-section></mj-body></mjml>"})
    html = render(found, Medium.EMAIL, values={"Name": "<b>"}, subject="x").html or ""

    assert "&lt;b&gt;" in html
    assert "mj-text" not in html
    assert "fonts.googleapis.com" not in html
    styled = email({"email.html": "<style>p { color: red }</style><p>x</p>"}, Name="x").html or ""
    assert '<p style="color: red;">' in styled


def test_a_preheader_and_the_subject_are_there_for_the_page() -> None:
    files = {
        "email.preheader.txt": "Soon,\n{{ Name }}",
        "email.html": "<title>{{ subject }}</title><p>{{ preheader }}</p>",
    }
    rendered = email(files, Name="Ann")

    assert rendered.preheader == "Soon, Ann"
    assert "<title>For Ann</title>" in (rendered.html or "")
    assert "<p>Soon, Ann</p>" in (rendered.html or "")


def test_a_push_has_title_and_text() -> None:
    found = snapshot({"push.title.txt": "Hi\n", "push.txt": "Your {{ locale }}\n"})

    assert render(found, Medium.PUSH, values={}) == Rendered(subject="Hi", text="Your en")


def test_the_messages_own_subject_goes_over_the_templates() -> None:
    rendered = render(snapshot(EMAIL), Medium.EMAIL, values={"Name": "Ann"}, subject="Mine")

    assert rendered.subject == "Mine"


def test_layouts_and_partials_are_of_the_locale_where_they_can_be() -> None:
    files = {
        "email.html": '{% extends "_layouts/a.html" %}{% block body %}{{ x|number }}{% endblock %}',
        "email.subject.txt": "Hello",
        "sv/email.subject.txt": "Hej",
        "_layouts/a.html": '{% block body %}{% endblock %} {% include "_parts/foot.txt" %}',
        "_parts/foot.txt": "Bye",
        "_parts/sv/foot.txt": "Hej då",
    }

    def text(locale: str) -> tuple[str | None, str]:
        rendered = render(snapshot(files), Medium.EMAIL, locale=locale, values={"x": 1.5})
        return rendered.subject, rendered.text

    assert text("sv-FI") == ("Hej", "1,5 Hej då")
    assert text("de") == ("Hello", "1.5 Bye")


def test_values_are_read_as_they_are_declared() -> None:
    declaration = """
        [characteristics.Count]
        type = "integer"
        [characteristics.Day]
        type = "date"
        default = "2026-11-21"
        [characteristics.Note]
        required = false
        """
    text = (
        "{{ Count + 1 }} {{ Day.year }}{% if Note %} {{ Note }}{% endif %} {{ Note|default('-') }}"
    )
    found = snapshot({"sms.txt": text, "template.toml": declaration})

    assert render(found, Medium.SMS, values={"Count": "41"}).text == "42 2026 -"
    assert render(found, Medium.SMS, values={"Count": 1, "Note": "n"}).text == "2 2026 n n"
    with pytest.raises(RenderError, match="characteristic 'Count' must be a whole number"):
        render(found, Medium.SMS, values={"Count": "x"})


def test_receiver_and_odd_names_are_reachable() -> None:
    found = snapshot({"sms.txt": "{{ receiver.name }} {{ characteristic['order-id'] }}{{ no }}"})
    rendered = render(
        found, Medium.SMS, values={"order-id": 7, "no": None}, receiver={"name": "Ann"}
    )

    assert rendered.text == "Ann 7"


@pytest.mark.parametrize("value", ["{{ 7 * 7 }}", "{% raw %}", "$Name", "$$", "a\\nb", "<b>&amp;"])
def test_values_are_never_looked_into(value: str) -> None:
    assert sms("{{ a }} {{ b|upper }}", a=value, b=value) == f"{value} {value.upper()}"
    rendered = email({}, Name=value)
    assert rendered.text == f"Dear {value}"
    assert rendered.subject == f"For {value}"


def test_markup_in_values_is_inert() -> None:
    rendered = email({"email.html": '<p title="{{ Name }}">{{ Name }}</p>'}, Name='"><script>x')

    assert "<script" not in (rendered.html or "")
    mjml = "<mjml><mj-body><mj-raw>{{ Name }}</mj-raw></mj-body></mjml>"
    found = snapshot({"email.mjml": mjml})
    value = '<mj-include path="/etc/passwd" />'
    html = render(found, Medium.EMAIL, values={"Name": value}, subject="x").html or ""
    assert "&lt;mj-include" in html
    assert "root:" not in html


def test_blocks_and_macros_work_with_values_not_with_marks() -> None:
    page = (
        "{% macro loud(text) %}{{ text }}!{% endmacro %}"
        "{% set both %}{{ Name }}-{{ Name }}{% endset %}"
        "<p>{% block head %}{{ Name }}{% endblock %}</p><p>{{ loud(Name) }}</p>"
        "<p>{{ self.head()|upper }} {{ loud(Name)|length }} {{ both|replace('-', '+') }}</p>"
        "{% filter upper %}{{ self.head() }}{% endfilter %}{{ both }}"
        "{% if self.head() == 'ann' %}same{% endif %}"
    )
    rendered = email({"email.html": page}, Name="ann")

    assert rendered.text == "ann\n\nann!\n\nANN 4 ann+ann\n\nANNann-annsame"


def test_subjects_and_titles_stay_on_one_line() -> None:
    rendered = email({}, Name="Ann\r\nBcc: x@example.com\x00\u2028!")

    assert rendered.subject == "For Ann Bcc: x@example.com !"
    own = render(
        snapshot(EMAIL), Medium.EMAIL, values={"Name": "x"}, subject="a\r\nb"
    ).subject  # fmt: skip
    assert own == "a b"


def test_an_sms_has_no_control_characters_but_line_ends() -> None:
    assert (
        sms("a\x07{{ x }}\r\n\n\n\nb\t\ud7ff", x="\x1b[2J\r\x85\ufdd0c") == "a[2J\n\nc\n\nb\t\ud7ff"
    )


@pytest.mark.parametrize(
    "text",
    [
        '{{ "".__class__ }}',
        '{{ ""["__class__"] }}',
        "{{ x.__init__.__globals__ }}",
        '{{ "{0.__class__}".format(x) }}',
        '{{ "{x.__class__}".format_map({"x": 1}) }}',
        "{{ cycler.__init__.__globals__ }}",
        "{{ self.__init__.__globals__ }}",
        "{{ self._TemplateReference__context }}",
        "{{ namespace.__mro__ }}",
        "{{ x.append(1) }}",
        "{{ lipsum.__globals__ }}",
    ],
)
def test_nothing_leads_out_of_the_sandbox(text: str) -> None:
    assert fault(f"\n{text}", x=[1]).line == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{{ 'a' * 10**8 }}", "repeat a text too often"),
        ("{{ [1] * 10**8 }}", "repeat a text too often"),
        ("{{ '%0200000000d' % 1 }}", "too wide"),
        ("{{ '%*d' % (200000000, 1) }}", "too wide"),
        ("{{ '%0200000000d'|format(1) }}", "too wide"),
        ('{{ "{:>999999999}".format(1) }}', "format is not there"),
        ("{{ 'a'|center(10**9) }}", "too wide"),
        ("{{ 'a'.ljust(10**9) }}", "unsafe"),
        ("{{ 10 ** (10 ** 8) }}", "too large"),
        ("{{ (10 ** 900) * (10 ** 900) }}", "too large"),
        ("{% for i in range(10**9) %}x{% endfor %}", "Range too big"),
        ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "calls itself too often"),
        ("{% for i in [1] recursive %}{{ loop([1]) }}{% endfor %}", "calls itself too often"),
        ("{% for i in range(20000) %}x{% endfor %}", "is longer than 10,000 characters"),
        ("{{ 1 / 0 }}", "division by zero"),
        ("{{ Nmae }}", "unknown variable 'Nmae'"),
        ("{{ x.foo }}", "has no attribute 'foo'"),
        ("{{ y }}", "is empty with these values"),
    ],
)
def test_what_goes_wrong_is_told_with_its_place(text: str, said: str) -> None:
    found = fault(text, x="x", y=" ")

    assert found.file == "hello/sms.txt"
    assert said in found.message


def test_the_place_of_a_fault_is_where_it_happens() -> None:
    files = {"sms.txt": "a\n{% include '_parts/a.txt' %}", "_parts/a.txt": "\n\n{{ Nmae }}"}

    with pytest.raises(RenderError, match=r"_parts/a\.txt:3: unknown variable 'Nmae'"):
        render(snapshot(files), Medium.SMS, values={})


def test_a_medium_without_text_is_told() -> None:
    with pytest.raises(RenderError, match="hello: has no text for push in sv"):
        render(snapshot({"sms.txt": "x", "sv/sms.txt": "y"}), Medium.PUSH, locale="sv", values={})


def test_a_value_as_large_as_a_book_is_no_email() -> None:
    with pytest.raises(RenderError, match="is longer than"):
        email({}, Name="<" * LONGEST[Medium.EMAIL])
    with pytest.raises(RenderError, match="is longer than 998 characters"):
        email({}, Name="x" * 999)
