"""What `tidings channels` shows."""

import inspect
import re
from collections.abc import Iterator
from math import ceil

from redis import Redis
from redis.exceptions import RedisError

from channels.base import Environment
from channels.health.rest import open_rest
from channels.registry import ChannelClass, known_schemes, open_identified
from communication.channel_url import split_urls
from communication.errors import SettingsError
from communication.redis_client import open_redis
from communication.settings import Settings, redacted
from worker.main import environment_of

MEDIA = ("email", "sms", "push")
_SCHEME = re.compile("`[a-z+]+://")
_CARE = "`rate=50/s`, `burst=100`, `slow=5s`, `breaker=no` (docs/provider-health.md)."


def report(settings: Settings) -> Iterator[str]:
    """Lines: the schemes, how their URLs are written, and the providers of each medium."""
    yield "Schemes of TIDINGS_EMAIL_URL, TIDINGS_SMS_URL and TIDINGS_PUSH_URL"
    for scheme, channel in sorted(known_schemes().items()):
        first, *more = _form(scheme, channel)
        yield f"  {scheme:<14} {first}"
        yield from (f"  {'':<14} {line}" for line in more)
    yield f"  {'all of them':<14} {_CARE}"
    yield ""
    redis = _shared(settings)
    yield (
        "In use" if redis else "In use (workers share no Redis that answers: nobody knows of rests)"
    )
    for medium in MEDIA:
        environment = environment_of(settings, medium)
        for place, url in enumerate(split_urls(settings.channel_url(medium))):
            name = f"TIDINGS_{medium.upper()}_URL" if place == 0 else ""
            yield f"  {name:<17} {redacted(url):<40} {_health(url, environment, redis)}"


def _form(scheme: str, channel: ChannelClass | None) -> list[str]:
    """What its `open` says of itself, with this one's name where several have one class."""
    if channel is None:
        return ["this plug-in can't be loaded"]
    said = inspect.getdoc(channel.open) or (inspect.getdoc(channel) or "").partition("\n")[0]
    return [line for line in _SCHEME.sub(f"`{scheme}://", said).splitlines() if line] or [""]


def _shared(settings: Settings) -> Redis | None:
    """The Redis in which workers keep what they know of providers, if it answers."""
    if settings.redis_url.startswith("memory:"):
        return None
    redis = open_redis(settings)
    try:
        redis.ping()
    except RedisError:
        return None
    return redis


def _health(url: str, environment: Environment, redis: Redis | None) -> str:
    try:
        channel, identity = open_identified(url, environment)
    except SettingsError as error:
        return f"can't be used: {error}"
    channel.close()
    if redis is None:
        return "can be used"
    seconds, is_to_be_probed = open_rest(redis, identity).look()
    if seconds:
        return f"rests after failures, {ceil(seconds)} s more"
    return "failed, is to be probed" if is_to_be_probed else "works"
