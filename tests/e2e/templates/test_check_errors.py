"""Every kind of error that `tidings templates check` finds, at its place."""

from pathlib import Path
from typing import Any

import pytest

from tests.parcel import SHARED, SOUND, edit, found
from tests.templates import write

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
