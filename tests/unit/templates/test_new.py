"""Making a template."""

from pathlib import Path

import pytest

from tidings.templates.new import BadName, make_template


def test_a_new_template_has_every_medium(tmp_path: Path) -> None:
    made = make_template(tmp_path, "autumn-sale")

    assert {path.name for path in made} == {
        "template.toml", "sms.txt", "email.subject.txt", "email.preheader.txt", "email.html",
        "email.txt", "push.title.txt", "push.txt",
    }  # fmt: skip
    assert {path.parent for path in made} == {tmp_path / "autumn-sale"}
    assert [path.name for path in tmp_path.iterdir()] == ["autumn-sale"]


def test_it_uses_the_layout_and_the_footer_that_are_there(tmp_path: Path) -> None:
    (tmp_path / "_layouts").mkdir()
    (tmp_path / "_partials").mkdir()
    (tmp_path / "_layouts/email.html").write_text(
        "{% block heading %}{% endblock %}{% block content %}{% endblock %}"
    )
    (tmp_path / "_partials/footer.txt").write_text("Bye")

    make_template(tmp_path, "sale")

    assert '{% extends "_layouts/email.html" %}' in (tmp_path / "sale/email.html").read_text()
    assert '{% include "_partials/footer.txt" %}' in (tmp_path / "sale/email.txt").read_text()


def test_it_does_without_a_layout_that_lacks_its_blocks(tmp_path: Path) -> None:
    (tmp_path / "_layouts").mkdir()
    (tmp_path / "_layouts/email.html").write_text("{% block body %}{% endblock %}")

    make_template(tmp_path, "sale")

    assert (tmp_path / "sale/email.html").read_text().startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("Autumn Sale", "How about autumn-sale?"),
        ("../sale", "How about sale?"),
        ("_layouts", "How about layouts?"),
        (".hidden", "How about hidden?"),
        ("a/b", "How about a-b?"),
        ("", "such as delivery-progress."),
        ("ö", "such as delivery-progress."),
        ("a" * 65, f"How about {'a' * 64}?"),
    ],
)
def test_a_name_that_will_not_do_is_refused_with_one_that_will(
    tmp_path: Path, name: str, advice: str
) -> None:
    with pytest.raises(BadName) as caught:
        make_template(tmp_path, name)

    assert str(caught.value).endswith(advice)
    assert list(tmp_path.iterdir()) == []


def test_a_template_that_is_there_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "sale").mkdir()

    with pytest.raises(BadName, match="is there already"):
        make_template(tmp_path, "sale")

    assert list((tmp_path / "sale").iterdir()) == []


def test_a_folder_that_can_not_be_written_is_a_reason(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(BadName, match="can't be made"):
        make_template(tmp_path / "file", "sale")
