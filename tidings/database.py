"""The database, as every command opens it."""

from communication.settings import Settings
from communication.store import Store, check_schema, open_store


def open_database(settings: Settings, *, connections: int = 1, keep_plans: bool = False) -> Store:
    """The settings' store; SettingsError for a database that lacks migrations."""
    check_schema(settings.database_url)
    return open_store(
        settings.database_url,
        connections=connections,
        keep_plans=keep_plans,
        secret_keys=settings.secret_keys,
    )
