"""The commands `tidings forget` and `tidings purge`: data that are not to be kept."""

from collections.abc import Sequence
from contextlib import closing, suppress
from datetime import timedelta

import click

from communication.settings import Settings, load_settings
from tidings.explained import explained


@click.command()
@click.option(
    "--receiver",
    required=True,
    help="An email address, a phone number such as +46701234567, or an app user.",
)
@click.option("--tenant", help="Only of this tenant; default: of all.")
@explained()
def forget(receiver: str, tenant: str | None) -> None:
    """Erase what is known of a person; what was sent stays counted."""
    from communication.privacy.erasing import erase
    from tidings.database import open_database

    settings = load_settings()
    with closing(open_database(settings)) as store:
        for one in _spellings(receiver.strip(), settings.phone_region):
            with store.write() as connection:
                erased = erase(connection, one, tenant)
            click.echo(
                f"{one}: erased in {erased.receivers} receivers, {erased.messages} messages, "
                f"{erased.devices} devices and {erased.bodies} stored bodies."
            )
            _drop_queues(settings, erased.queues)


def _spellings(receiver: str, region: str) -> list[str]:
    """As it was given, and if that is a phone number as it is stored."""
    from communication.wire.phone import phone_number

    with suppress(ValueError):
        return list(dict.fromkeys((receiver, phone_number(receiver, region))))
    return [receiver]


def _drop_queues(settings: Settings, names: Sequence[str]) -> None:
    """What waits for pollers is brought back from the database, where the person is erased."""
    from redis.exceptions import RedisError

    from communication.polling.queue import PollQueues
    from communication.redis_client import open_redis

    with closing(open_redis(settings)) as redis:
        queues = PollQueues(redis, ttl=settings.notification_ttl)
        try:
            for name in names:
                queues.drop(name)
        except RedisError as error:
            click.echo(
                f"Redis can't be reached ({type(error).__name__}): old queues of notifications, "
                f"which nobody reads any more, stay there for up to {settings.notification_ttl:g} "
                "seconds.",
                err=True,
            )


@click.command()
@click.option("--days", type=click.FloatRange(min=0), help="Default: the setting.")
@explained()
def purge(days: float | None) -> None:
    """Delete what ended longer ago than TIDINGS_RETENTION days; the relay does it too."""
    from communication.clock import now
    from communication.errors import SettingsError
    from communication.privacy.purging import purge as purge_all
    from tidings.database import open_database

    settings = load_settings()
    kept = settings.retention if days is None else days
    if days is None and not kept:
        raise SettingsError("TIDINGS_RETENTION: all is kept; set it, or give --days")
    with closing(open_database(settings)) as store:
        counts = purge_all(store, now() - timedelta(days=kept))
    click.echo("Deleted " + ", ".join(f"{count} {name}" for name, count in counts.items()) + ".")
