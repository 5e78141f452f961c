"""Which files of the templates folder are read, and how."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from communication.catalogue.catalogue import (
    BrokenTemplate,
    Catalogue,
    TemplateNotFound,
)
from tests.catalogues import HELLO, folder, text
from tests.templates import write

__all__ = ["folder"]


def test_only_folders_with_plain_names_are_templates(folder: Path) -> None:
    write(folder, {".git/sms.txt": "x", "notes.txt": "x", "a b/sms.txt": "x", "b/sms.txt": "x"})

    assert Catalogue(folder).names() == ["b", "hello"]


@pytest.mark.parametrize("name", ["nope", "_parts", "../hello", "hello/..", "", ".", "a/b"])
def test_what_is_no_template_is_not_found(folder: Path, name: str) -> None:
    with pytest.raises(TemplateNotFound):
        Catalogue(folder).snapshot(name)


def linked(target: str) -> Callable[[Path], None]:
    def make(place: Path) -> None:
        place.unlink()
        place.symlink_to(target)

    return make


def a_pipe(place: Path) -> None:
    place.unlink()
    os.mkfifo(place)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (linked("/etc/passwd"), "is a link that leads out of the templates folder"),
        (linked("../../outside.txt"), "is a link that leads out of the templates folder"),
        (lambda place: place.write_bytes(b"Hej d\xe5"), "is not in UTF-8"),
        (lambda place: place.write_text("x" * 1_000_001), "is larger than 1,000,000 bytes"),
        (lambda place: place.write_text(""), "is empty"),
        (a_pipe, "is no file"),
    ],
    ids=["absolute link", "relative link", "latin-1", "large", "empty", "pipe"],
)
def test_a_file_that_may_not_be_read_is_a_fault(
    folder: Path, change: Callable[[Path], object], said: str
) -> None:
    (folder.parent / "outside.txt").write_text("secret")
    change(folder / "hello/sms.txt")

    with pytest.raises(BrokenTemplate, match=f"hello/sms.txt(:1)?: {said}"):
        Catalogue(folder).snapshot("hello")


def test_a_linked_folder_outside_is_not_entered(folder: Path, tmp_path: Path) -> None:
    write(tmp_path, {"outside/sms.txt": "secret"})
    (folder / "other").symlink_to(tmp_path / "outside")
    (folder / "hello/sv").symlink_to(tmp_path / "outside")

    assert "secret" not in "".join(Catalogue(folder).snapshot("hello").files.values())
    with pytest.raises(TemplateNotFound):
        Catalogue(folder).snapshot("other")


def test_links_within_the_folder_are_followed(folder: Path) -> None:
    (folder / ".data").mkdir()
    (folder / "hello/sms.txt").rename(folder / ".data/sms.txt")
    (folder / "hello/sms.txt").symlink_to("../.data/sms.txt")

    assert text(Catalogue(folder)) == HELLO["hello/sms.txt"]


def test_a_folder_that_leads_to_itself_ends(folder: Path) -> None:
    (folder / "hello/again").symlink_to(folder / "hello")

    assert text(Catalogue(folder)) == HELLO["hello/sms.txt"]


def test_windows_line_ends_and_byte_order_marks_are_no_text(folder: Path) -> None:
    (folder / "hello/sms.txt").write_bytes("\ufeffHi\r\nyou".encode())

    assert text(Catalogue(folder)) == "Hi\nyou"
