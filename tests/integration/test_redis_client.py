"""Redis as the settings name it."""

import time

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from communication.redis_client import PATIENCE, open_redis
from communication.settings import Settings
from tests.processes import free_port


def test_scripts_run_on_either_redis(redis_url: str) -> None:
    with open_redis(Settings(redis_url=redis_url)) as redis:
        add = redis.register_script("return redis.call('ZADD', KEYS[1], ARGV[1], 'member')")
        assert add(keys=["queue"], args=[5]) == 1
        assert redis.zscore("queue", "member") == 5


def test_each_redis_of_this_process_is_another(request: pytest.FixtureRequest) -> None:
    first, second = (open_redis(Settings(redis_url="memory://")) for _ in range(2))
    request.addfinalizer(first.close)
    request.addfinalizer(second.close)
    first.set("name", "value")
    assert second.get("name") is None


def test_a_server_that_is_away_is_told_soon() -> None:
    began = time.monotonic()
    with (
        open_redis(Settings(redis_url=f"redis://127.0.0.1:{free_port()}/0")) as redis,
        pytest.raises(RedisConnectionError),
    ):
        redis.ping()
    assert time.monotonic() - began < 10 * PATIENCE
