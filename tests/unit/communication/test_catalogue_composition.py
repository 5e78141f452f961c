"""From files to a template, or to what is wrong with them and where."""

import pytest

from communication.catalogue.catalogue import BrokenTemplate, Medium, Snapshot, TemplateNotFound
from tests.templates import snapshot

TOML = '[characteristics.Name]\ntype = "string"\nexample = "Ann"\n'


def test_a_template_has_the_media_that_it_has_texts_for() -> None:
    found = snapshot({"sms.txt": "Hi", "email.mjml": "<mjml/>", "sv/push.txt": "Hej"})

    assert found.media == {Medium.SMS, Medium.EMAIL, Medium.PUSH}
    assert not found.has(Medium.PUSH)
    assert found.has(Medium.PUSH, "sv-FI")
    assert found.locales == ("sv",)


def test_files_are_chosen_by_locale_one_by_one() -> None:
    found = snapshot(
        {
            "email.html": "<p>",
            "email.subject.txt": "Hello",
            "pt/email.subject.txt": "Olá",
            "pt-BR/email.mjml": "<mjml/>",
        }
    )

    assert found.path("email.subject.txt", "pt-BR") == "hello/pt/email.subject.txt"
    assert found.body(Medium.EMAIL, "pt_br") == "hello/pt-BR/email.mjml"
    assert found.body(Medium.EMAIL, "pt") == "hello/email.html"
    assert found.path("email.subject.txt", "de") == "hello/email.subject.txt"


@pytest.mark.parametrize(
    ("wanted", "rendered"),
    [(None, "en"), ("en-GB", "en-GB"), ("sv-FI", "sv-FI"), ("de", "en"), ("PT_br", "en")],
)
def test_a_locale_is_taken_if_its_language_is_spoken(wanted: str | None, rendered: str) -> None:
    found = snapshot({"sms.txt": "Hi", "sv/sms.txt": "Hej"})

    assert found.effective_locale(wanted) == rendered


def test_without_a_declaration_characteristics_are_inferred() -> None:
    found = snapshot(
        {
            "sms.txt": "{{ Name }} {{ characteristic['order-id'] }} {% include '_parts/a.txt' %}",
            "email.txt": "{% set shop = 'x' %}{% include '_parts/b.txt' %}{{ locale }}",
            "sv/sms.txt": "{% for one in Items %}{{ one }}{% endfor %}",
            "_parts/a.txt": "{{ Note|default('') }}{% if Code is defined %}{{ Code }}{% endif %}",
            "_parts/b.txt": "{{ shop }} {{ receiver.name }}",
        }
    )

    assert {one.name: one.required for one in found.characteristics.values()} == {
        "Code": False,
        "Items": True,
        "Name": True,
        "Note": False,
        "order-id": True,
    }
    assert found.needs[Medium.SMS] == {"Items", "Name", "order-id"}
    assert found.needs[Medium.EMAIL] == set()


def test_a_declaration_says_what_is_needed() -> None:
    declaration = """
        description = "Says hello."
        locale = "sv"
        [characteristics.Name]
        [characteristics.Day]
        type = "date"
        default = 2026-11-21
        [characteristics.Code]
        required = false
        """
    found = snapshot({"sms.txt": "{{ Name }}", "template.toml": declaration})

    assert found.needs[Medium.SMS] == {"Name"}
    assert found.characteristics["Day"].default == "2026-11-21"
    assert found.characteristics["Day"].example == "2026-11-21"
    assert (found.default_locale, found.description) == ("sv", "Says hello.")


def test_the_version_changes_with_every_file_that_the_template_reaches_and_no_other() -> None:
    files = {
        "sms.txt": "{% include '_parts/a.txt' %}",
        "_parts/a.txt": "a",
        "_parts/sv/a.txt": "å",
        "_parts/b.txt": "b",
        "sv/sms.txt": "{% include '_parts/a.txt' %}!",
    }

    version = snapshot(files).version

    assert snapshot(files | {"_parts/b.txt": "B"}).version == version
    for path in ("_parts/a.txt", "_parts/sv/a.txt", "sv/sms.txt"):
        assert snapshot(files | {path: "changed"}).version != version


FAULTS = {
    "nothing": ({"notes.txt": "x"}, "hello: has no text yet"),
    "empty": ({"sms.txt": " \n"}, "hello/sms.txt:1: is empty"),
    "open tag": ({"sms.txt": "a\n{% if x %}"}, "hello/sms.txt:2: Unexpected end"),
    "open value": ({"sms.txt": "a\n{{ x"}, "hello/sms.txt:2: "),
    "filter": ({"sms.txt": "a\n\n{{ x|shout }}"}, "hello/sms.txt:3: there is no filter 'shout'"),
    "attr": ({"sms.txt": "{{ x|attr('y') }}"}, "hello/sms.txt:1: there is no filter 'attr'"),
    "test": ({"sms.txt": "{% if x is red %}a{% endif %}"}, "hello/sms.txt:1: there is no test"),
    "missing": ({"sms.txt": "\n{% include '_a/b.txt' %}"}, "hello/sms.txt:2: there is no file"),
    "computed": ({"sms.txt": "{% include x %}"}, "hello/sms.txt:1: name the other file itself"),
    "chosen": ({"sms.txt": "{% extends 'a/b' if x else 'c/d' %}"}, "hello/sms.txt:1: name the"),
    "up": ({"sms.txt": "{% include '../../etc/passwd' %}"}, "hello/sms.txt:1: '../../etc/passwd'"),
    "up within": ({"sms.txt": "{% include '_a/../../x' %}"}, "hello/sms.txt:1: '_a/../../x' is no"),
    "absolute": (
        {"sms.txt": "{% include '/etc/passwd' %}"},
        "hello/sms.txt:1: '/etc/passwd' is no",
    ),
    "backslash": ({"sms.txt": "{% include '_a\\\\..\\\\b' %}"}, "hello/sms.txt:1: "),
    "hidden": ({"sms.txt": "{% include '_a/.env' %}"}, "hello/sms.txt:1: '_a/.env' is no file"),
    "module": ({"sms.txt": "{% import 'os' as os %}"}, "hello/sms.txt:1: 'os' is no file"),
    "another's": (
        {"sms.txt": "{% include 'other/sms.txt' %}", "other/sms.txt": "x"},
        "hello/sms.txt:1: other/sms.txt is another template's",
    ),
    "itself": (
        {"sms.txt": "{% include 'hello/sms.txt' %}"},
        "hello/sms.txt:1: hello/sms.txt comes",
    ),
    "circle": (
        {
            "sms.txt": "{% extends '_a/a.txt' %}",
            "_a/a.txt": "\n{% include '_a/b.txt' %}",
            "_a/b.txt": "{% extends '_a/a.txt' %}",
        },
        "_a/b.txt:1: _a/a.txt comes to itself again",
    ),
    "deep": ({"sms.txt": "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}"}, "is nested too deeply"),
    "mark": ({"sms.txt": "a\n\ufdd00\ufdd1"}, "hello/sms.txt:2: has a character"),
    "both": ({"email.html": "<p>", "email.mjml": "<mjml/>"}, "hello/email.mjml: is there beside"),
    "folder": ({"sms.txt": "x", "pt_br/sms.txt": "x"}, "hello/pt_br: name this folder hello/pt-BR"),
    "undeclared": (
        {"sms.txt": "a\n{{ Nmae }}", "template.toml": TOML},
        "hello/sms.txt:2: unknown variable 'Nmae'; add [characteristics.Nmae]",
    ),
    "toml": (
        {"sms.txt": "x", "template.toml": 'a = "b'},
        "hello/template.toml:1: Unterminated string",
    ),
    "key": (
        {"sms.txt": "x", "template.toml": TOML + "requird = true\n"},
        "hello/template.toml:1: Name: there is no 'requird'",
    ),
    "type": (
        {"sms.txt": "x", "template.toml": "\n" + TOML.replace("string", "text")},
        "hello/template.toml:2: Name: type must be one of",
    ),
    "example": (
        {"sms.txt": "x", "template.toml": TOML.replace("string", "integer")},
        "hello/template.toml:1: Name: example must be a whole number",
    ),
    "reserved": (
        {"sms.txt": "x", "template.toml": "[characteristics.receiver]\n"},
        "hello/template.toml:1: receiver: every template has a variable of this name",
    ),
    "tag": ({"sms.txt": "x", "template.toml": 'locale = "!"\n'}, "hello/template.toml:1: locale"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_found_with_its_place(name: str) -> None:
    files, said = FAULTS[name]

    with pytest.raises(BrokenTemplate) as caught:
        snapshot(files)

    assert said in str(caught.value)


def test_nothing_is_computed_to_find_faults() -> None:
    huge = '{{ "a"|center(10000000000) }}{{ "a" * 10**10 }}{{ "%09999999999d" % 1 }}{{ 9**9**9 }}'

    assert isinstance(snapshot({"sms.txt": huge}), Snapshot)


def test_a_template_without_files_is_not_there() -> None:
    with pytest.raises(TemplateNotFound, match="there is no template 'hello'"):
        snapshot({"_parts/a.txt": "a"})
