"""`tidings templates preview` as an author uses it: in a real browser, while files are saved."""

from selenium.webdriver.support.ui import Select

from tests.authoring import SOUND, Author, Preview


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


def test_what_is_changed_while_an_answer_comes_is_not_lost(author: Author) -> None:
    author.opens("/templates/parcel")
    author.types("c.link", "nowhere")
    author.sees(".refused", "link must be a web address")
    author.driver.execute_script(_CHOOSES_LATE)

    author.types("c.link", "https://example.com/")

    author.sees(".bubble", "your parcel is late")


_CHOOSES_LATE = """
const ask = window.fetch;
window.fetch = async (...what) => {
  const answer = await ask(...what);
  if (what[0].includes("example.com") && window.fetch !== ask) {
    window.fetch = ask;
    const select = document.querySelector('[name="c.status"]');
    select.selectedIndex = [...select.options].findIndex((one) => one.text === "late");
    select.dispatchEvent(new Event("input", { bubbles: true }));
  }
  return answer;
};
"""
"""At the moment at which the answer to the new link is there."""


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
    author.writes_to("Bo")

    author.one('[name="locale"][value="sv"]').click()

    author.sees(".bubble", "Hej Bo, ditt paket: sent 30 apr. 2025.")
    author.sees_in_frames("Hej Bo")


def test_a_saved_file_shows_by_itself_and_what_is_typed_stays(
    preview: Preview, author: Author
) -> None:
    author.writes_to("Bo")

    preview.save("parcel/sms.txt", "Dear {{ name }}!\n")

    author.sees(".bubble", "Dear Bo!")
    author.sees("#live", "Saved")
    assert author.one('[name="c.name"]').get_attribute("value") == "Bo"
    assert author.driver.switch_to.active_element.get_attribute("name") == "c.name"


def test_a_new_characteristic_comes_into_the_form_and_what_is_typed_stays(
    preview: Preview, author: Author
) -> None:
    author.writes_to("Bo")

    preview.save(
        "parcel/template.toml",
        SOUND["parcel/template.toml"] + '[characteristics.shop]\nexample = "Corner"\n',
    )
    preview.save("parcel/sms.txt", "Dear {{ name }}, come to {{ shop }}!\n")

    author.sees(".bubble", "Dear Bo, come to Corner!")
    assert author.one('[name="c.shop"]').get_attribute("value") == "Corner"
    assert author.driver.switch_to.active_element.get_attribute("name") == "c.name"


def test_a_template_that_is_not_there_is_said_to_be_so(preview: Preview, author: Author) -> None:
    author.opens("/templates/later")
    author.sees("h1", "There is no such template")

    preview.save("later/sms.txt", "Here I am.\n")

    author.sees(".bubble", "Here I am.")


def test_an_end_of_the_preview_is_told_and_a_new_start_is_found(
    preview: Preview, author: Author
) -> None:
    author.writes_to("Bo")

    assert preview.process.stop() == 0
    author.sees("#live", "tidings templates preview")
    preview.save("parcel/sms.txt", "Dear {{ name }}!\n")
    preview.start()

    author.sees(".bubble", "Dear Bo!")
