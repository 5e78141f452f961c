"""What the preview shows of templates and values that have faults."""

from pathlib import Path

import pytest
from selenium.webdriver.common.by import By

from tests.authoring import SOUND, Author, Preview
from tests.running import occupied_port, tidings
from tests.waiting import wait_until


def test_a_broken_file_shows_its_line_and_what_to_do_until_it_is_mended(
    preview: Preview, author: Author
) -> None:
    author.writes_to("Bo")

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


def test_a_template_that_never_ends_holds_up_nothing(preview: Preview, author: Author) -> None:
    preview.save("endless/sms.txt", "{% for a in range(99999) %}{% for b in range(99999) %}"
                 "{% endfor %}{% endfor %}x\n")  # fmt: skip

    author.opens("/templates/endless")
    for _ in range(4):
        author.driver.refresh()
        author.sees("[data-part=sms]", "too much time", "endless/sms.txt, line 1")
    author.opens("/templates/plain")
    author.sees(".bubble", "Hello from us.")


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
