"""What every command does first."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from urllib.parse import urlsplit

import structlog

from communication.errors import SettingsError
from communication.log import configure_logging
from communication.settings import Settings, load_settings
from communication.settings_names import unknown

_SERVING = ("up", "api", "work")

log = structlog.get_logger(part="tidings.start")


def start(process: str, **overrides: str | None) -> Settings:
    """The settings, with the data folder made and logs set up; `process` names it in the logs."""
    settings = load_settings(**overrides)
    try:
        settings.data.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(f"TIDINGS_DATA: no folder {settings.data}: {error.strerror}") from error
    configure_logging(settings.log_level, process=process, hide_with=settings.secret_keys)
    if strangers := list(unknown(Settings.model_fields)):
        log.warning("no such settings", names=strangers)
    if process in _SERVING and _leads_nowhere(settings.public_url):
        log.warning("others can't follow our URLs; set TIDINGS_PUBLIC_URL", now=settings.public_url)
    return settings


def _leads_nowhere(url: str) -> bool:
    """Whether its host is what one listens on to be reached by every address."""
    try:
        return ip_address(urlsplit(url).hostname or "").is_unspecified
    except ValueError:
        return False


@contextmanager
def loading() -> Iterator[None]:
    """Import what a process lives with: never looked at for garbage, while it loads or later.

    To look again and again at what is being loaded is a fifth of the time that loading takes.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
