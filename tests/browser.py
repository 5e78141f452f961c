"""A Chromium without a window, as Debian ships it, that reaches this machine alone."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Thread

from selenium.webdriver import Chrome, ChromeOptions, ChromeService

from tests.processes import new_folder

_OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)


class Elsewhere:
    """Where every name below example.com leads to: `calls` is how often somebody came."""

    def __init__(self) -> None:
        self.calls = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        Thread(target=self._count, daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _count(self) -> None:
        with suppress(OSError):
            while True:
                self._listener.accept()[0].close()
                self.calls += 1


@contextmanager
def chromium(elsewhere: Elsewhere) -> Iterator[Chrome]:
    """A browser with a profile of its own, closed at the end."""
    there = f"MAP *.example.com 127.0.0.1:{elsewhere.port}"
    # The browser's own calls to its makers lead nowhere.
    names = f"--host-resolver-rules={there}, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
    wishes = ChromeOptions()
    wishes.binary_location = "/usr/bin/chromium"
    for option in (*_OPTIONS, names, f"--user-data-dir={new_folder()}"):
        wishes.add_argument(option)
    wishes.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = Chrome(wishes, ChromeService("/usr/bin/chromedriver"))
    try:
        driver.set_page_load_timeout(120)
        driver.set_script_timeout(120)
        yield driver
    finally:
        driver.quit()
