"""Attributes of compiled MJML."""

import mjml
import pytest

from worker.templates.attributes import restored

PAGE = "<mjml><mj-body><mj-section><mj-column>{}</mj-column></mj-section></mj-body></mjml>"


@pytest.mark.parametrize(
    "text",
    [
        "plain",
        "Grüße \N{GRINNING FACE}",
        "1\N{NO-BREAK SPACE}299\N{NARROW NO-BREAK SPACE}kr",
        "one\ntwo\tthree",
        "C:\\new\\u{a0}",
        "&quot;so&quot; &amp; so",
        "it's",
        "\ufdd0" + "12" + "\ufdd1",
        "\\",
    ],
    ids=ascii,
)
def test_what_is_written_in_an_attribute_comes_out(text: str) -> None:
    source = PAGE.format(f'<mj-image src="cid:x" alt="{text}" title="a" />')

    assert f'alt="{text}"' in restored(mjml.mjml2html(source))


def test_a_quote_in_a_title_does_not_end_its_label() -> None:
    source = '<mjml><mj-head><mj-title>The "new" one</mj-title></mj-head><mj-body></mj-body></mjml>'

    assert 'aria-label="The &quot;new&quot; one"' in restored(mjml.mjml2html(source))


def test_texts_and_styles_are_left_alone() -> None:
    source = PAGE.format(
        '<mj-text css-class="a">C:\\new "a=\\n" <b style="x: \'\\201C\'">b</b></mj-text>'
    )

    assert 'C:\\new "a=\\n" ' in restored(mjml.mjml2html(source))
