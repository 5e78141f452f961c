"""What `tidings channels` shows."""

import inspect
from collections.abc import Iterator
from dataclasses import replace

from channels.base import Environment
from channels.registry import ChannelClass, known_schemes, open_channel
from channels.rest import open_rest
from communication.channel_url import split_urls
from communication.errors import SettingsError
from communication.redis_client import open_redis
from communication.settings import Settings, redacted
from worker.main import environment_of

MEDIA = ("email", "sms", "push")


def report(settings: Settings) -> Iterator[str]:
    """Lines: the schemes, how their URLs are written, and the providers of each medium."""
    redis = None if settings.redis_url.startswith("memory:") else open_redis(settings)
    yield "Schemes"
    for scheme, channel in sorted(known_schemes().items()):
        yield f"  {scheme:<14} {_form(channel)}"
    yield ""
    yield "In use"
    for medium in MEDIA:
        environment = replace(environment_of(settings, medium), redis=redis)
        for place, url in enumerate(split_urls(settings.channel_url(medium))):
            name = medium if place == 0 else ""
            yield f"  {name:<6} {redacted(url):<40} {_health(url, environment)}"


def _form(channel: ChannelClass | None) -> str:
    """The first line of what its `open` says of itself."""
    if channel is None:
        return "this plug-in can't be loaded"
    said = inspect.getdoc(channel.open) or inspect.getdoc(channel) or ""
    return said.partition("\n")[0]


def _health(url: str, environment: Environment) -> str:
    try:
        channel = open_channel(url, environment)
    except SettingsError as error:
        return f"can't be used: {error}"
    channel.close()
    rest, is_probed = open_rest(environment.redis, channel.provider).look()
    if rest:
        return f"rests after failures, for {rest:.0f} s still"
    return "is to be probed after failures" if is_probed else "ready"
