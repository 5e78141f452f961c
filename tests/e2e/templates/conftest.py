"""A preview that runs, and a browser in which an author looks at it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver import Chrome

from tests import parcel
from tests.authoring import Author, Preview
from tests.browser import Elsewhere, chromium
from tests.templates import write


@pytest.fixture(scope="package")
def running() -> Iterator[Preview]:
    preview = Preview()
    yield preview
    preview.process.kill()


@pytest.fixture
def preview(running: Preview) -> Iterator[Preview]:
    running.reset()
    yield running
    assert running.process.exit_code is None, running.process.log_tail()


@pytest.fixture(scope="package")
def elsewhere() -> Iterator[Elsewhere]:
    listening = Elsewhere()
    yield listening
    listening.close()


@pytest.fixture(scope="package")
def browser(elsewhere: Elsewhere) -> Iterator[Chrome]:
    with chromium(elsewhere) as driver:
        yield driver


@pytest.fixture
def author(browser: Chrome, preview: Preview) -> Author:
    author = Author(browser, preview)
    author.widens(1440, 900)
    author.opens("/")
    author.troubles()
    return author


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A templates folder with one sound template, `parcel`."""
    write(tmp_path / "templates", parcel.SHARED)
    write(tmp_path / "templates/parcel", parcel.SOUND)
    return tmp_path / "templates"
