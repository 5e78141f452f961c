"""The parts of the preview that need no browser."""

import re
from typing import Any

import pytest

from communication.catalogue.characteristic import Characteristic
from communication.sms_text import measure
from tidings.templates.findings import Finding
from tidings.templates.preview.excerpt import excerpt
from tidings.templates.preview.fields import Field, fields_of
from tidings.templates.preview.frames import Frames, remote_images
from tidings.templates.preview.messages import sms
from tidings.templates.preview.pages import PAGES, STATIC


def field(typed: str | None = None, **about: Any) -> Field:
    one = Characteristic(name="x", **about)
    return fields_of({"x": one}, {} if typed is None else {"c.x": typed})[0]


@pytest.mark.parametrize(
    ("kind", "example", "control", "text"),
    [
        ("string", "Ann", "text", "Ann"),
        ("string", "One line\nand another", "textarea", "One line\nand another"),
        ("number", 24.9, "number", "24.9"),
        ("integer", 3, "integer", "3"),
        ("boolean", True, "select", "true"),
        ("date", "2025-04-30", "date", "2025-04-30"),
        ("datetime", "2025-04-30T09:30:00Z", "datetime-local", "2025-04-30T09:30:00"),
        ("url", "https://example.com/", "url", "https://example.com/"),
        ("money", {"unit": "EUR", "value": 99.5}, "text", "99.5 EUR"),
        ("list", ["a", "b"], "textarea", "a\nb"),
        ("list", [{"a": 1}], "json", '[\n  {\n    "a": 1\n  }\n]'),
        ("object", {"a": 1}, "json", '{\n  "a": 1\n}'),
        ("any", "anything", "text", "anything"),
    ],
)
def test_an_example_is_typed_in_the_control_of_its_type(
    kind: str, example: Any, control: str, text: str
) -> None:
    made = field(type=kind, example=example)

    assert (made.control, made.text, made.value, made.fault) == (control, text, example, "")


@pytest.mark.parametrize(
    ("kind", "example", "typed", "value"),
    [
        ("string", "Ann", "Bo", "Bo"),
        ("number", 9, "12", 12),
        ("number", 9, "12.5", 12.5),
        ("boolean", True, "false", "false"),
        ("datetime", "2025-04-30T09:30:00+02:00", "2025-05-01T10:00", "2025-05-01T10:00+02:00"),
        ("datetime", "2025-04-30T09:30:00", "2025-05-01T10:00", "2025-05-01T10:00"),
        ("money", {"unit": "EUR", "value": 1}, "12.50 sek", {"unit": "SEK", "value": 12.5}),
        ("list", ["a"], "one\r\n\r\n two \r\n", ["one", "two"]),
        ("list", [{"a": 1}], '[{"a": 2}]', [{"a": 2}]),
        ("any", None, '["a"]', ["a"]),
        ("any", None, "[a", "[a"),
    ],
)
def test_what_is_typed_is_read_as_its_type(kind: str, example: Any, typed: str, value: Any) -> None:
    made = field(typed, type=kind, example=example)

    assert (made.value, made.fault) == (value, "")


@pytest.mark.parametrize(
    ("kind", "example", "typed", "fault"),
    [
        ("number", 9, "many", "must be a number such as 12.5"),
        ("integer", 9, "1.5", "must be a whole number"),
        ("date", "2025-04-30", "soon", "must be a date"),
        ("url", "https://example.com/", "javascript:x", "must be a web address"),
        ("money", {"unit": "EUR", "value": 1}, "much", "must be an amount and a currency"),
        ("money", {"unit": "EUR", "value": 1}, "1.2.3 EUR", "must be a number"),
        ("object", {"a": 1}, '{\n"a": }', "line 2 can't be read"),
        ("object", {"a": 1}, "[]", "must be an object"),
    ],
)
def test_what_can_not_be_read_is_told_and_left_out(
    kind: str, example: Any, typed: str, fault: str
) -> None:
    made = field(typed, type=kind, example=example)

    assert fault in made.fault
    assert made.value is None
    assert made.text == typed


def test_nothing_typed_is_nothing_given() -> None:
    assert field("", type="string", example="a", required=False).value is None
    assert field("", type="string", example="a", required=False).fault == ""
    assert field(" ", type="string", example="a", required=True).fault == "is required"


def test_allowed_values_are_a_choice_that_can_be_left_out_where_it_is_optional() -> None:
    needed = field(type="integer", allowed=(1, 2), example=2)
    optional = field(type="string", allowed=("a", "b"), default="a", required=False)

    assert (needed.control, needed.choices) == ("select", (("1", "1"), ("2", "2")))
    assert optional.choices[0] == ("", "(left out)")
    assert optional.hint == "Left empty, it is a."
    assert "must be one of" in field("3", type="integer", allowed=(1, 2), example=2).fault


@pytest.mark.parametrize(
    "text", ["", "a" * 100, "a" * 160, "a" * 161, "€" * 90, "ł" * 70, "🙂" * 36]
)
def test_an_sms_has_room_until_its_next_segment(text: str) -> None:
    shown = sms(text, simplified=True)

    assert measure(text + "x" * shown.room).segments == shown.size.segments
    assert measure(text + "x" * (shown.room + 1)).segments == shown.size.segments + 1


def test_an_sms_is_simplified_where_the_setting_says_so() -> None:
    assert sms("It\u2019s", simplified=True).text == "It's"
    assert sms("It\u2019s", simplified=True).simplified
    assert sms("It\u2019s", simplified=False).dear == "\u2019"


def finding(line: int, column: int = 1) -> Finding:
    return Finding(
        template="t", file="t/a.txt", line=line, column=column, rule="r", message="m", advice="a"
    )


def test_an_excerpt_has_the_lines_around_the_fault_and_marks_it() -> None:
    text = "".join(f"line {number}\n" for number in range(1, 11))

    lines = excerpt(finding(5, 6), {"t/a.txt": text})

    assert [one.number for one in lines] == [2, 3, 4, 5, 6, 7, 8]
    assert [(one.text, one.rest) for one in lines if one.marked] == [("line ", "5")]


@pytest.mark.parametrize(("line", "first", "last"), [(1, 1, 4), (10, 7, 10), (11, 8, 11)])
def test_an_excerpt_ends_where_the_file_does(line: int, first: int, last: int) -> None:
    text = "".join(f"line {number}\n" for number in range(1, 11))

    numbers = [one.number for one in excerpt(finding(line), {"t/a.txt": text})]

    assert (numbers[0], numbers[-1]) == (first, last)


def test_a_fault_of_no_file_has_no_excerpt() -> None:
    assert excerpt(finding(1), {}) == []
    assert excerpt(finding(9), {"t/a.txt": "one\n"}) == []


def test_frames_keep_the_last_emails_alone() -> None:
    frames = Frames()
    first = frames.add("<p>0</p>")
    for number in range(1, 65):
        frames.add(f"<p>{number}</p>")

    assert frames.get(first) is None
    assert frames.get(frames.add("<p>64</p>")) == "<p>64</p>"


def test_what_calls_other_hosts_is_taken_out_of_an_email() -> None:
    frames = Frames()

    page = frames.get(frames.add('<head><LINK rel=x></head><IFrame src="//x"></iframe><object>'))

    assert page is not None
    assert not re.search("<(link|iframe|object)", page, re.IGNORECASE)
    assert '<base target="_blank">' in page


@pytest.mark.parametrize(
    ("html", "count"),
    [
        ('<img src="https://a/b.png"><img src="data:image/png;base64,x"><p>x', 1),
        ("<p>x</p>", 0),
        ("", 0),
    ],
)
def test_pictures_from_the_web_are_counted(html: str, count: int) -> None:
    assert remote_images(html) == count


def test_the_pages_name_no_other_host() -> None:
    for path in (*PAGES.iterdir(), *STATIC.iterdir()):
        addresses = set(re.findall(r"(?:https?:)?//[\w.-]+\.\w+", path.read_text()))
        assert addresses <= {"http://www.w3.org"}, path
