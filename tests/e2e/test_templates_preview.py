"""`tidings templates preview` as an author uses it: in a real browser, while files are saved."""

import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from selenium.webdriver import Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

from tests.authoring import SOUND, Author, Preview
from tests.browser import Elsewhere, chromium
from tests.running import occupied_port, tidings
from tests.waiting import wait_until


@pytest.fixture(scope="module")
def running() -> Iterator[Preview]:
    preview = Preview()
    yield preview
    preview.process.kill()


@pytest.fixture
def preview(running: Preview) -> Iterator[Preview]:
    running.reset()
    yield running
    assert running.process.exit_code is None, running.process.log_tail()


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[Elsewhere]:
    listening = Elsewhere()
    yield listening
    listening.close()


@pytest.fixture(scope="module")
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


def test_the_list_has_every_template_with_its_faults(preview: Preview, author: Author) -> None:
    author.opens("/")
    assert "A parcel is on its way." in author.text("main")
    assert "email, SMS, push · English, Swedish" in author.text("main")

    preview.save("parcel/push.txt", "It is {{ stat }}.\n")

    author.sees("main", "1 error", "parcel/push.txt:1", "“stat” is no characteristic")


def test_the_form_has_the_examples_in_fields_of_their_kind(author: Author) -> None:
    author.opens("/templates/parcel")

    fields = {
        name: (field.get_attribute("type"), field.get_attribute("value"))
        for name in ("name", "day", "parts", "link", "things")
        for field in [author.one(f'[name="c.{name}"]')]
    }
    assert fields == {
        "name": ("text", "Ann"),
        "day": ("date", "2025-04-30"),
        "parts": ("number", "2"),
        "link": ("url", "https://www.example.com/p/1"),
        "things": ("textarea", "a phone\na charger"),
    }
    choices = Select(author.one('[name="c.status"]')).options
    assert [one.text for one in choices] == ["sent", "late"]
    assert author.one('[name="c.name"]').accessible_name == "name"


def test_every_medium_shows_what_a_customer_would_get(author: Author) -> None:
    author.opens("/templates/parcel")

    author.sees("#email-title", "Email")
    assert "Your parcel is sent" in author.text(".inbox .subject")
    assert "2 parts" in author.text(".inbox .preheader")
    author.sees_in_frames("a charger")
    assert author.text(".plain") == "Hi Ann, your parcel is sent."
    assert author.text(".bubble") == "Hi Ann, your parcel is sent for Apr 30, 2025."
    assert author.text("#push-subject") == "Your parcel"
    assert author.text("#push-text") == "It is sent."


def test_the_frames_are_as_wide_as_a_desktop_and_a_phone(author: Author) -> None:
    author.opens("/templates/parcel")
    author.sees_in_frames("Hi Ann")

    widths = []
    for title in ("The email on a desktop", "The email on a phone"):
        author.driver.switch_to.frame(author.one(f'iframe[title="{title}"]'))
        widths.append(author.driver.execute_script("return innerWidth"))
        author.driver.switch_to.default_content()
    assert widths == [700, 360]


def test_a_changed_value_shows_at_once(author: Author) -> None:
    author.opens("/templates/parcel")

    author.types("c.name", "Bo")
    Select(author.one('[name="c.status"]')).select_by_visible_text("late")

    author.sees(".bubble", "Hi Bo, your parcel is late")
    author.sees_in_frames("Hi Bo")
    author.driver.refresh()
    author.sees(".bubble", "Hi Bo, your parcel is late")


def test_an_sms_is_measured_as_it_is_billed(author: Author) -> None:
    author.opens("/templates/parcel")
    assert author.text(".size").split() == [
        "Encoding",
        "GSM-7",
        "Characters",
        "45",
        "Segments",
        "1",
    ]

    author.types("c.name", "Łukasz " * 8)

    author.sees("#sms-encoding", "UCS-2")
    author.sees("#sms-segments", "2")
    author.sees("[data-part=sms]", "“Ł” makes it UCS-2")


def test_the_language_switches_words_and_formats(author: Author) -> None:
    author.opens("/templates/parcel")
    author.types("c.name", "Bo")
    author.sees(".bubble", "Hi Bo")

    author.one('[name="locale"][value="sv"]').click()

    author.sees(".bubble", "Hej Bo, ditt paket: sent 30 apr. 2025.")
    author.sees_in_frames("Hej Bo")


def test_a_saved_file_shows_by_itself_and_what_is_typed_stays(
    preview: Preview, author: Author
) -> None:
    author.opens("/templates/parcel")
    author.types("c.name", "Bo")
    author.sees(".bubble", "Hi Bo")

    preview.save("parcel/sms.txt", "Dear {{ name }}!\n")

    author.sees(".bubble", "Dear Bo!")
    author.sees("#live", "Saved")
    assert author.one('[name="c.name"]').get_attribute("value") == "Bo"
    assert author.driver.switch_to.active_element.get_attribute("name") == "c.name"


def test_a_new_characteristic_comes_into_the_form_and_what_is_typed_stays(
    preview: Preview, author: Author
) -> None:
    author.opens("/templates/parcel")
    author.types("c.name", "Bo")
    author.sees(".bubble", "Hi Bo")

    preview.save(
        "parcel/template.toml",
        SOUND["parcel/template.toml"] + '[characteristics.shop]\nexample = "Corner"\n',
    )
    preview.save("parcel/sms.txt", "Dear {{ name }}, come to {{ shop }}!\n")

    author.sees(".bubble", "Dear Bo, come to Corner!")
    assert author.one('[name="c.shop"]').get_attribute("value") == "Corner"
    assert author.driver.switch_to.active_element.get_attribute("name") == "c.name"


def test_a_broken_file_shows_its_line_and_what_to_do_until_it_is_mended(
    preview: Preview, author: Author
) -> None:
    author.opens("/templates/parcel")
    author.types("c.name", "Bo")
    author.sees(".bubble", "Hi Bo")

    preview.save("parcel/push.txt", "It is here.\nIt is {{ status }.\nBye.\n")

    author.sees(
        ".broken", "“{{” is never closed", "parcel/push.txt, line 2", "What to do: Write }}"
    )
    assert author.text(".broken .marked").split() == ["2", "It", "is", "{{", "status", "}."]
    assert author.text(".broken .spot") == "{{ status }."
    assert not author.driver.find_elements(By.CSS_SELECTOR, ".bubble")

    preview.save("parcel/push.txt", SOUND["parcel/push.txt"])

    author.sees(".bubble", "Hi Bo")
    assert author.one('[name="c.name"]').get_attribute("value") == "Bo"


def test_a_template_that_was_broken_from_the_start_is_shown_when_it_is_mended(
    preview: Preview, author: Author
) -> None:
    preview.save("fresh/sms.txt", "Hi {{ name }\n")
    author.opens("/templates/fresh?c.name=Bo")
    author.sees(".broken", "is never closed")

    preview.save("fresh/sms.txt", "Hi {{ name }}\n")

    author.sees(".bubble", "Hi Bo")


def test_a_rendering_that_fails_shows_its_line_in_the_place_of_the_message(
    preview: Preview, author: Author
) -> None:
    preview.save("parcel/push.txt", "It is here.\nEach: {{ 6 // (parts - 2) }}\n")

    author.opens("/templates/parcel")

    author.sees("[data-part=push]", "nobody gets this", "parcel/push.txt, line 2")
    assert author.text(".bubble").startswith("Hi Ann")
    author.types("c.parts", "5")
    author.sees("#push-text", "Each: 2")


def test_a_value_that_would_be_refused_is_told_beside_its_field(author: Author) -> None:
    author.opens("/templates/parcel")
    author.sees(".bubble", "Hi Ann")

    author.types("c.link", "nowhere")

    author.sees('[data-field="c.link"]', "must be a web address")
    author.sees(".refused", "link must be a web address")
    assert author.one('[name="c.link"]').get_attribute("aria-invalid") == "true"
    author.types("c.link", "https://www.example.com/2")
    wait_until(lambda: not author.text(".refused"))
    assert author.one('[name="c.link"]').get_attribute("aria-invalid") == "false"
    assert author.text('[data-field="c.link"] .wrongness') == ""


def test_a_message_without_what_it_needs_is_told_to_be_refused(author: Author) -> None:
    author.opens("/templates/parcel")

    author.types("c.name", "")

    author.sees("[data-part=sms]", "would refuse to send this: it lacks name")
    author.sees('[data-field="c.name"]', "name is required")


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


def test_a_template_that_never_ends_holds_up_nothing(preview: Preview, author: Author) -> None:
    preview.save("endless/sms.txt", "{% for a in range(99999) %}{% for b in range(99999) %}"
                 "{% endfor %}{% endfor %}x\n")  # fmt: skip

    begun = time.monotonic()
    author.opens("/templates/endless")
    author.sees("[data-part=sms]", "too much time", "endless/sms.txt, line 1")
    assert time.monotonic() - begun < 20
    for _ in range(4):
        author.driver.refresh()
        author.sees("[data-part=sms]", "too much time", "endless/sms.txt, line 1")
    author.opens("/templates/plain")
    author.sees(".bubble", "Hello from us.")


def test_it_works_without_javascript(preview: Preview) -> None:
    status, html = preview.get("/templates/parcel?c.name=Bo&locale=sv")

    assert status == 200
    assert "Hej Bo, ditt paket: sent 30 apr. 2025." in html


def test_a_strangers_page_reaches_nothing(preview: Preview) -> None:
    status, html = preview.get("/templates/parcel", Host="evil.example.com")

    assert status == 403
    assert "parcel" not in html


def test_a_template_that_is_not_there_is_said_to_be_so(preview: Preview, author: Author) -> None:
    author.opens("/templates/later")
    author.sees("h1", "There is no such template")

    preview.save("later/sms.txt", "Here I am.\n")

    author.sees(".bubble", "Here I am.")


def test_an_end_of_the_preview_is_told_and_a_new_start_is_found(
    preview: Preview, author: Author
) -> None:
    author.opens("/templates/parcel")
    author.types("c.name", "Bo")
    author.sees(".bubble", "Hi Bo")

    assert preview.process.stop() == 0
    author.sees("#live", "tidings templates preview")
    preview.save("parcel/sms.txt", "Dear {{ name }}!\n")
    preview.start()

    author.sees(".bubble", "Dear Bo!")


def test_an_address_that_is_taken_is_said_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "templates/plain").mkdir(parents=True)

    with occupied_port() as port:
        process = tidings(tmp_path, "templates", "preview", "--bind", f"127.0.0.1:{port}")

        assert process.wait() == 1
    assert f"can't listen on 127.0.0.1:{port}" in process.log.read_text()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--bind", "0.0.0.0:8081"], "loopback"),
        (["nothing"], "There is no template “nothing”"),
        (["--templates", "nowhere"], "There is no folder nowhere"),
    ],
    ids=["for everybody", "no template", "no folder"],
)
def test_what_can_not_be_served_is_said_at_the_start(
    tmp_path: Path, arguments: list[str], said: str
) -> None:
    (tmp_path / "templates/plain").mkdir(parents=True)

    process = tidings(tmp_path, "templates", "preview", *arguments)

    assert process.wait() == 1
    assert said in process.log.read_text()
