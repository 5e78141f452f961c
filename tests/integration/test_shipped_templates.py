"""The templates that come with Tidings, as they reach people."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from communication.catalogue.catalogue import Catalogue, Medium
from communication.sms_text import measure, simplify
from tidings.templates.cases import Case, cases
from worker.templates.rendering import Rendered, render

CATALOGUE = Catalogue(Path(__file__).parents[2] / "templates")
NAMES = ("delivery-progress", "policy-notice", "promotion", "purchase-result")
EVERY = [(name, locale) for name in NAMES for locale in ("en", "sv")]


def rendered(name: str, locale: str, medium: Medium) -> Iterator[tuple[Case, Rendered]]:
    snapshot = CATALOGUE.snapshot(name)
    for case in cases(snapshot.characteristics):
        yield (
            case,
            render(snapshot, medium, locale=locale, values=case.values, receiver=case.receiver),
        )


def test_these_are_shipped() -> None:
    assert tuple(CATALOGUE.names()) == NAMES


@pytest.mark.parametrize(("name", "locale"), EVERY)
def test_an_email_is_whole_in_every_case(name: str, locale: str) -> None:
    for case, message in rendered(name, locale, Medium.EMAIL):
        assert message.html is not None
        assert message.subject
        assert message.preheader
        assert message.preheader in message.html.replace("&#39;", "'")
        assert re.search(rf'<html lang="{locale}"', message.html)
        assert "prefers-color-scheme: dark" in message.html
        assert "<img" not in message.html
        assert not re.search("None|Undefined|[\ufdd0-\ufdef\ue000-\uf8ff]", message.html)
        assert not re.search("None|Undefined|  |\n\n\n", message.text)
        for key, value in case.values.items():
            if key.endswith("Url") and case.values.get("status") != "delivered":
                assert f'href="{value}"' in message.html
                assert value in message.text


@pytest.mark.parametrize(("name", "locale"), EVERY)
def test_an_sms_is_gsm_7_in_at_most_two_segments(name: str, locale: str) -> None:
    for _, message in rendered(name, locale, Medium.SMS):
        size = measure(simplify(message.text))

        assert (size.encoding, size.segments <= 2) == ("GSM-7", True)
        assert "\n" not in message.text


@pytest.mark.parametrize(("name", "locale"), EVERY)
def test_a_push_fits_a_lock_screen(name: str, locale: str) -> None:
    for _, message in rendered(name, locale, Medium.PUSH):
        assert message.subject
        assert len(message.subject) <= 50
        assert 0 < len(message.text) <= 150


def test_a_value_that_is_markup_is_text() -> None:
    snapshot = CATALOGUE.snapshot("promotion")
    values = {**next(cases(snapshot.characteristics)).values, "details": "<b>&\"'</b>"}

    message = render(snapshot, Medium.EMAIL, locale="en", values=values)

    assert "&lt;b&gt;&amp;" in str(message.html)
    assert "<b>&\"'</b>" in message.text


def test_amounts_and_dates_are_written_as_the_language_does() -> None:
    (_, english), (_, swedish) = (
        next(rendered("promotion", locale, Medium.SMS)) for locale in ("en", "sv")
    )

    assert "€9.00" in english.text
    assert "Apr 30, 2025" in english.text
    assert "9,00\N{NO-BREAK SPACE}€" in swedish.text
    assert "30 apr. 2025" in swedish.text
