"""The templates folder as its authors change it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from communication.catalogue import catalogue as module
from communication.catalogue.catalogue import (
    BrokenTemplate,
    Catalogue,
    Fault,
    Snapshot,
    TemplateNotFound,
)
from tests.catalogues import HELLO, always_looking, folder, text, texts
from tests.waiting import wait_until

__all__ = ["always_looking", "folder"]

BYE = {"hello/sms.txt": "Ho {% include '_parts/foot.txt' %}", "_parts/foot.txt": "Ciao"}


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch, always_looking: None) -> None:  # noqa: ARG001
    """Readers look often while an author saves, and take the files for saved when he rests."""
    monkeypatch.setattr(module, "PATIENCE", 0.02)
    monkeypatch.setattr(module, "REST", 0)
    monkeypatch.setattr(module, "QUIET", 1.5)


@contextmanager
def reading(catalogue: Catalogue) -> Iterator[list[tuple[str, ...]]]:
    """The texts that a message would be made of, read again and again in the background."""
    over = threading.Event()
    seen: list[tuple[str, ...]] = []

    def read() -> None:
        while not over.is_set():
            seen.append(texts(catalogue))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        yield seen
    finally:
        over.set()
        reader.join()


def test_what_was_just_looked_at_is_not_looked_at_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK_EVERY", 3600)
    catalogue = Catalogue(folder)
    before = text(catalogue)

    (folder / "hello/sms.txt").write_text("Hello")

    assert text(catalogue) == before


@pytest.mark.usefixtures("always_looking")
def test_a_saved_file_is_there_for_the_next_message(folder: Path) -> None:
    catalogue = Catalogue(folder)
    first = catalogue.snapshot("hello")
    assert catalogue.snapshot("hello") is first

    for path in reversed(HELLO):
        (folder / path).write_text("Hello")
        assert text(catalogue, path) == "Hello"
        assert catalogue.snapshot("hello").version != first.version


@pytest.mark.usefixtures("hurried")
def test_a_file_that_is_being_written_is_left_alone(folder: Path) -> None:
    catalogue = Catalogue(folder)
    before = texts(catalogue)

    with reading(catalogue) as seen, (folder / "hello/sms.txt").open("w") as file:

        def write_on() -> bool:
            file.write("half ")
            file.flush()
            return len(seen) > 10

        wait_until(write_on, every=0.01)
        file.write("whole")
        file.flush()
        wait_until(lambda: seen[-1] != before)

    assert set(seen) == {before, ((folder / "hello/sms.txt").read_text(),)}


@pytest.mark.usefixtures("hurried")
def test_several_files_that_are_saved_together_are_taken_together(folder: Path) -> None:
    catalogue = Catalogue(folder)
    before = texts(catalogue)

    with reading(catalogue) as seen:
        for number, (path, edited) in enumerate(BYE.items(), start=1):
            (folder / path).write_text(edited)
            wait_until(partial(lambda least: len(seen) > least, 3 * number))
        wait_until(lambda: seen[-1] != before)

    assert (before, seen[-1]) == (tuple(sorted(HELLO.values())), tuple(sorted(BYE.values())))
    assert set(seen) == {before, seen[-1]}


def test_a_broken_edit_leaves_the_last_good_version(folder: Path) -> None:
    catalogue = Catalogue(folder)
    good = catalogue.snapshot("hello")

    (folder / "hello/sms.txt").write_text("Hi\n{{ name")
    wait_until(catalogue.faults)
    fault = catalogue.faults()["hello"]
    assert (fault.file, fault.line) == ("hello/sms.txt", 2)
    assert catalogue.snapshot("hello") is good

    (folder / "hello/sms.txt").write_text("Hi again")
    wait_until(lambda: not catalogue.faults())
    assert text(catalogue) == "Hi again"


@pytest.mark.usefixtures("always_looking")
def test_a_broken_edit_is_counted_once(folder: Path) -> None:
    def counted() -> float | None:
        return REGISTRY.get_sample_value(
            "tidings_template_faults_total", {"tenant": "", "template": "hello"}
        )

    catalogue = Catalogue(folder)
    catalogue.snapshot("hello")
    before = counted() or 0

    (folder / "hello/sms.txt").write_text("{{ name")
    wait_until(catalogue.faults)
    for _ in range(3):
        catalogue.snapshot("hello")

    assert counted() == before + 1


def test_the_last_good_version_outlives_the_process(folder: Path, tmp_path: Path) -> None:
    keep = tmp_path / "keep"
    good = Catalogue(folder, keep, trial=lambda _snapshot: None).snapshot("hello")
    (folder / "_parts/foot.txt").write_text("{% if")

    assert Catalogue(folder, keep).snapshot("hello").files == good.files
    assert Catalogue(folder, keep).faults().keys() == {"hello"}
    with pytest.raises(BrokenTemplate, match=r"_parts/foot\.txt:1: "):
        Catalogue(folder).snapshot("hello")


def test_a_version_that_fails_its_trial_is_never_used(folder: Path) -> None:
    def trial(snapshot: Snapshot) -> Fault | None:
        bad = "bad" in snapshot.files["hello/sms.txt"]
        return Fault(message="is bad", file="hello/sms.txt") if bad else None

    catalogue = Catalogue(folder, trial=trial)
    good = catalogue.snapshot("hello")
    (folder / "hello/sms.txt").write_text("bad")

    fault = wait_until(lambda: catalogue.faults().get("hello"))
    assert str(fault) == "hello/sms.txt: is bad"
    assert catalogue.snapshot("hello") is good


@pytest.mark.usefixtures("always_looking")
def test_a_template_that_is_removed_is_gone_and_can_come_back(folder: Path) -> None:
    catalogue = Catalogue(folder)
    catalogue.snapshot("hello")

    (folder / "hello").rename(folder / ".hello")
    with pytest.raises(TemplateNotFound):
        catalogue.snapshot("hello")
    assert catalogue.names() == []

    (folder / ".hello").rename(folder / "hello")
    assert text(catalogue) == HELLO["hello/sms.txt"]


def test_without_a_folder_there_are_no_templates(tmp_path: Path) -> None:
    catalogue = Catalogue(tmp_path / "nowhere")

    assert catalogue.names() == []
    with pytest.raises(TemplateNotFound):
        catalogue.snapshot("hello")


def test_what_is_written_to_all_the_time_is_taken_in_a_pause(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_RESTLESS", 0.2)
    catalogue = Catalogue(folder)
    before = text(catalogue)
    over = threading.Event()

    def save() -> None:
        number = 0
        while not over.wait(0.06):
            number += 1
            (folder / "hello/sms.txt").write_text(f"Hi {number}")

    author = threading.Thread(target=save)
    author.start()
    try:
        wait_until(lambda: text(catalogue) != before)
    finally:
        over.set()
        author.join()
