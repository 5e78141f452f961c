"""The preview is safe to look at, on any screen, by keyboard alone and without JavaScript."""

from itertools import pairwise

import pytest
from selenium.webdriver import Keys
from selenium.webdriver.common.by import By

from tests.authoring import Author, Preview
from tests.browser import Elsewhere
from tests.waiting import wait_until


def test_no_script_runs_in_a_value_or_in_an_email(preview: Preview, author: Author) -> None:
    spell = "<script>document.title='ran'</script><img src=x onerror=\"document.title='ran'\">"
    preview.save(
        "parcel/email.html",
        "<html><head><script>document.title='ran'; document.body.append('ran')</script></head>"
        "<body onload=\"document.body.append('ran')\"><h1>Hi {{ name }}</h1>"
        '<a href="javascript:document.title=1">x</a></body></html>\n',
    )
    author.opens("/templates/parcel")

    author.types("c.name", spell)

    author.sees(".bubble", "<script>document.title='ran'</script><img")
    author.sees_in_frames("Hi <script>document.title='ran'</script><img")
    said = author.in_frame("The email on a phone")
    assert "ran" not in said.replace(spell, "")
    assert author.driver.title == "parcel - Tidings"
    assert author.driver.find_elements(By.CSS_SELECTOR, "main script, main img") == []


def test_an_email_can_reach_neither_the_page_nor_another_address(
    preview: Preview, author: Author, elsewhere: Elsewhere
) -> None:
    preview.save(
        "parcel/email.html",
        '<html><head><link rel="stylesheet" href="https://styles.example.com/a.css">'
        '<link rel="preconnect" href="https://preconnect.example.com/">'
        "<style>@import url(https://import.example.com/b.css);"
        "body { background: url(https://background.example.com/c.png) }</style>"
        '<meta http-equiv="refresh" content="0; url=https://refresh.example.com/"></head>'
        '<body>Hi<img src="https://images.example.com/d.png" alt="A picture">'
        '<a id="out" href="https://links.example.com/">away</a>'
        '<iframe src="https://frames.example.com/"></iframe></body></html>\n',
    )
    author.opens("/templates/parcel")
    author.sees_in_frames("away")
    author.sees("[data-part=email]", "A picture of this email comes from the web")

    author.types("c.name", "Bo")
    author.sees(".bubble", "Hi Bo")
    assert elsewhere.calls == 0

    author.driver.switch_to.frame(author.one("iframe"))
    author.one("#out").click()
    author.driver.switch_to.default_content()
    author.sees_in_frames("away")
    assert len(author.driver.window_handles) == 1


def test_all_can_be_done_by_keyboard_alone(author: Author) -> None:
    author.opens("/")
    author.presses(Keys.TAB, Keys.TAB, Keys.TAB, Keys.ENTER)
    author.sees("h1", "parcel")
    wait_until(lambda: author.driver.find_elements(By.CSS_SELECTOR, "html.alive"))

    author.presses(Keys.TAB, Keys.TAB, Keys.TAB, Keys.ARROW_RIGHT)
    author.sees(".bubble", "Hej Ann")
    author.presses(Keys.TAB, Keys.ARROW_RIGHT)
    wait_until(lambda: author.driver.find_elements(By.CSS_SELECTOR, ".screens.dark"))
    author.presses(Keys.TAB, "Bo")
    author.sees(".bubble", "Hej Bo")
    author.presses(Keys.TAB, Keys.ARROW_DOWN)
    author.sees(".bubble", "ditt paket: late")

    outline = "return getComputedStyle(document.activeElement).outlineStyle"
    assert author.driver.execute_script(outline) == "solid"


def test_the_first_tab_skips_to_the_content(author: Author) -> None:
    author.opens("/templates/parcel")

    author.presses(Keys.TAB, Keys.ENTER, Keys.TAB)

    assert author.driver.switch_to.active_element.get_attribute("name") == "locale"


@pytest.mark.parametrize("path", ["/", "/templates/parcel", "/templates/broken", "/templates/none"])
@pytest.mark.parametrize("width", [320, 768, 1440])
def test_no_page_is_wider_than_its_screen(
    preview: Preview, author: Author, path: str, width: int
) -> None:
    preview.save("broken/sms.txt", "A line that is longer than a phone is wide " * 4 + "{{ x }\n")
    author.widens(width)

    author.opens(path)

    author.sees("h1", *[path.rpartition("/")[2]] if path.endswith(("parcel", "broken")) else [])
    assert author.driver.execute_script("return document.documentElement.scrollWidth") <= width


def test_the_browser_has_nothing_to_complain_of(author: Author) -> None:
    for path in ("/", "/templates/parcel", "/templates/plain"):
        author.opens(path)
        author.sees("h1", path.rpartition("/")[2])

    assert author.troubles() == []


def test_headings_and_labels_say_what_things_are(author: Author) -> None:
    author.opens("/templates/parcel")

    levels = author.driver.execute_script(
        "return [...document.querySelectorAll('h1, h2, h3')].map(h => Number(h.tagName[1]))"
    )
    unnamed = [
        field.get_attribute("outerHTML")
        for field in author.driver.find_elements(By.CSS_SELECTOR, "input, select, textarea, iframe")
        if not (field.accessible_name or field.get_attribute("title"))
    ]
    ids = author.driver.execute_script(
        "return [...document.querySelectorAll('[id]')].map(one => one.id)"
    )
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert unnamed == []
    assert len(ids) == len(set(ids))


def test_it_works_without_javascript(preview: Preview) -> None:
    status, html = preview.get("/templates/parcel?c.name=Bo&locale=sv")

    assert status == 200
    assert "Hej Bo, ditt paket: sent 30 apr. 2025." in html


def test_a_strangers_page_reaches_nothing(preview: Preview) -> None:
    status, html = preview.get("/templates/parcel", Host="evil.example.com")

    assert status == 403
    assert "parcel" not in html
