"""What every command does first."""

from communication.errors import SettingsError
from communication.log import configure_logging
from communication.settings import Settings, load_settings


def start(process: str, **overrides: str | None) -> Settings:
    """The settings, with the data folder made and logs set up; `process` names it in the logs."""
    settings = load_settings(**overrides)
    try:
        settings.data.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(f"TIDINGS_DATA: no folder {settings.data}: {error.strerror}") from error
    configure_logging(settings.log_level, process=process, hide_with=settings.secret_keys)
    return settings
