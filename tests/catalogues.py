"""A templates folder, and what its catalogue says."""

from pathlib import Path

import pytest

from communication.catalogue import catalogue as module
from communication.catalogue.catalogue import (
    Catalogue,
)
from tests.templates import write

HELLO = {"hello/sms.txt": "Hi {% include '_parts/foot.txt' %}", "_parts/foot.txt": "Bye"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path / "templates", HELLO)
    return tmp_path / "templates"


def texts(catalogue: Catalogue) -> tuple[str, ...]:
    return tuple(sorted(catalogue.snapshot("hello").files.values()))


def text(catalogue: Catalogue, path: str = "hello/sms.txt") -> str:
    return catalogue.snapshot("hello").files[path]


@pytest.fixture
def always_looking(monkeypatch: pytest.MonkeyPatch) -> None:
    """Catalogues look at the folder each time that they are asked."""
    monkeypatch.setattr(module, "LOOK_EVERY", 0)
