"""Two accounts at one host: one stands in for the other, and neither pays for it."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from redis import Redis

from channels.errors import RateReached
from channels.health.rest import open_rest
from channels.health.tally import LEAST
from channels.registry import open_channels, open_identified
from channels.testing import environment, outbound
from communication.redis_client import open_redis
from communication.settings import Settings
from tests.gateways import gateway, twilio


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    with closing(open_redis(Settings(redis_url=redis_url))) as client:
        yield client


def test_a_fallback_at_the_same_host_takes_all_while_the_primary_rests(redis: Redis) -> None:
    place = replace(environment(Path(), "sms"), redis=redis)
    with gateway(twilio) as server:
        urls = [server.url("gateway=twilio", login=f"{name}:secret") for name in ("one", "another")]
        channel, primary = open_identified(urls[0], place)
        channel.close()
        open_rest(redis, primary).begin(60)
        with closing(open_channels(",".join(urls), place)) as channel:
            for _ in range(LEAST):
                channel.send(outbound(address="+46701234567"))
            assert channel.provider == f"http://127.0.0.1:{server.port}"

    assert [asked.login for asked in server.asked] == ["another:secret"] * LEAST
    kept = repr(list(redis.scan_iter("*")))
    assert "tidings:provider:" in kept
    assert not [one for one in ("secret", "another", "127.0.0.1") if one in kept]


def test_each_account_has_turns_of_its_own(redis: Redis) -> None:
    place = replace(environment(Path(), "sms"), redis=redis)
    with gateway(twilio) as server:
        for login in ("one:secret", "another:secret"):
            url = server.url("gateway=twilio&rate=1/h", login=login)
            with closing(open_channels(url, place)) as channel:
                channel.send(outbound(address="+46701234567"))
                with pytest.raises(RateReached):
                    channel.send(outbound(address="+46701234567"))
