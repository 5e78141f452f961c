"""A preview of templates that runs, and an author who looks at it in a browser."""

import shutil
from functools import partial
from http.client import HTTPConnection

from selenium.common.exceptions import StaleElementReferenceException, WebDriverException
from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from tests.parcel import DECLARED
from tests.processes import Process, free_port, new_folder
from tests.running import tidings
from tests.waiting import wait_until

SOUND = {
    "parcel/template.toml": f"""\
{DECLARED}
[characteristics.day]
type = "date"
required = false
example = 2025-04-30

[characteristics.parts]
type = "integer"
required = true
example = 2

[characteristics.link]
type = "url"
required = false
example = "https://www.example.com/p/1"

[characteristics.things]
type = "list"
required = true
example = ["a phone", "a charger"]
""",
    "parcel/sms.txt": "Hi {{ name }}, your parcel is {{ status }}"
    "{% if day %} for {{ day|date }}{% endif %}.\n",
    "parcel/email.subject.txt": "Your parcel is {{ status }}\n",
    "parcel/email.preheader.txt": "{{ parts }} parts\n",
    "parcel/email.html": """\
<html lang="{{ locale }}">
<head><title>Parcel</title></head>
<body>
<div style="width: 640px; max-width: 100%; background: #eef">
<h1>Hi {{ name }}</h1>
<ul>{% for thing in things %}<li>{{ thing }}</li>{% endfor %}</ul>
{% if link %}<p><a href="{{ link }}">Follow it</a></p>{% endif %}
</div>
</body>
</html>
""",
    "parcel/email.txt": "Hi {{ name }}, your parcel is {{ status }}.\n",
    "parcel/push.title.txt": "Your parcel\n",
    "parcel/push.txt": "It is {{ status }}.\n",
    "parcel/sv/sms.txt": "Hej {{ name }}, ditt paket: {{ status }}"
    "{% if day %} {{ day|date }}{% endif %}.\n",
    "parcel/sv/email.subject.txt": "Ditt paket\n",
    "parcel/sv/email.preheader.txt": "{{ parts }} delar\n",
    "parcel/sv/email.html": '<html lang="sv"><body><h1>Hej {{ name }}</h1></body></html>\n',
    "parcel/sv/email.txt": "Hej {{ name }}.\n",
    "parcel/sv/push.title.txt": "Ditt paket\n",
    "parcel/sv/push.txt": "{{ status }}\n",
    "plain/sms.txt": "Hello from us.\n",
}


class Preview:
    """A preview that runs, on a folder of templates that tests write in."""

    def __init__(self) -> None:
        self.place = new_folder()
        self.folder = self.place / "templates"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.reset()
        self.start()

    def start(self) -> None:
        """Start it, again if it ran before."""
        self.process: Process = tidings(
            self.place, "templates", "preview", "--bind", f"127.0.0.1:{self.port}",
            templates=self.folder,
        )  # fmt: skip
        wait_until(self._answers, within=120, otherwise="the preview did not answer")

    def reset(self) -> None:
        """Have the sound templates in the folder, and nothing else."""
        for path in self.folder.glob("*"):
            if path.name not in ("parcel", "plain"):
                shutil.rmtree(path)
        for name, text in SOUND.items():
            self.save(name, text)

    def save(self, name: str, text: str) -> None:
        """Save a file as an editor does."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text() != text:
            path.write_text(text)

    def get(self, path: str, **headers: str) -> tuple[int, str]:
        """Status and text of a page, as a program gets it."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            connection.request("GET", path, headers=headers)
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    def _answers(self) -> bool:
        assert self.process.exit_code is None, self.process.log_tail()
        try:
            return self.get("/static/icon.svg")[0] == 200
        except OSError:
            return False


class Author:
    """Somebody who looks at the preview, types and clicks."""

    def __init__(self, driver: Chrome, preview: Preview) -> None:
        self.driver = driver
        self._preview = preview

    def opens(self, path: str) -> None:
        """Go to a page of the preview."""
        self.driver.get(self._preview.url + path)

    def one(self, selector: str) -> WebElement:
        """The only element of a selector."""
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def text(self, selector: str) -> str:
        """What an element says; empty while it is not there."""
        try:
            found = self.driver.find_elements(By.CSS_SELECTOR, selector)
            return found[0].text if found else ""
        except StaleElementReferenceException:
            return ""

    def types(self, name: str, text: str) -> None:
        """Replace what is in a field."""
        field = self.one(f'[name="{name}"]')
        field.send_keys(Keys.CONTROL, "a")
        field.send_keys(Keys.DELETE, text)

    def writes_to(self, name: str) -> None:
        """Have the parcel's preview open, with a name in its form, and see it greeted."""
        self.opens("/templates/parcel")
        self.types("c.name", name)
        self.sees(".bubble", f"Hi {name}")

    def sees(self, selector: str, *wanted: str) -> None:
        """Wait until an element says what is wanted."""
        wait_until(
            lambda: all(one in self.text(selector) for one in wanted),
            within=120,
            otherwise=lambda: (
                f"{selector} does not say {wanted}, but {self.text(selector)!r}"
                f" at {self.driver.current_url}, where the page says {self.text('#live')!r}"
            ),
        )

    def in_frame(self, title: str) -> str:
        """What an email says in one of its frames."""
        self.driver.switch_to.frame(self.one(f'iframe[title="{title}"]'))
        try:
            return str(self.driver.execute_script("return document.body.innerText"))
        finally:
            self.driver.switch_to.default_content()

    def sees_in_frames(self, wanted: str) -> None:
        """Wait until both frames say what is wanted."""
        for title in ("The email on a desktop", "The email on a phone"):
            wait_until(
                partial(self._frame_says, title, wanted),
                within=120,
                otherwise=f"{title} does not say {wanted!r}",
            )

    def presses(self, *keys: str) -> None:
        """Keys, wherever the focus is."""
        ActionChains(self.driver).send_keys(*keys).perform()

    def widens(self, width: int, height: int = 800) -> None:
        """Have a screen of this size."""
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600},
        )

    def troubles(self) -> list[str]:
        """What the browser has complained of since the last time."""
        entries = self.driver.get_log("browser")  # type: ignore[no-untyped-call]
        return [str(one["message"]) for one in entries if one["level"] == "SEVERE"]

    def _frame_says(self, title: str, wanted: str) -> bool:
        try:
            return wanted in self.in_frame(title)
        except WebDriverException:  # another is just taking its place
            return False
