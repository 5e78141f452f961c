"""Providers that fail or must not be hurried: who is asked, and who pays."""

import itertools
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from channels.base import Channel
from channels.errors import OutcomeUnknown, RateReached, ReceiverBusy, Throttled
from channels.health.failover import Failover
from channels.health.provider import Care, Cared, resting
from channels.health.rest import FIRST
from channels.health.tally import LEAST
from channels.health.throttle import Rate
from channels.registry import open_channels
from channels.testing import ChannelContract, environment
from communication.channel_url import ChannelUrl
from communication.errors import (
    DeliveryError,
    PermanentDeliveryError,
    SettingsError,
    TransientDeliveryError,
)
from communication.redis_client import open_redis
from communication.settings import Settings
from tests.providers import Provider, cared, fails, send


class TestCared(ChannelContract):
    @pytest.fixture
    def channel(self, tmp_path: Path) -> Channel:
        return open_channels("folder://?rate=1000/s&burst=1000", environment(tmp_path, "sms"))


def test_a_failing_provider_is_soon_left_alone() -> None:
    provider = Provider(fails)
    channel = cared(provider)

    send(channel, 100)

    assert len(provider.asked) == LEAST
    assert 0 < resting(channel) <= FIRST


def test_a_plug_in_that_raises_anything_fails_too() -> None:
    provider = Provider(lambda: str(1 // 0))
    send(cared(provider), 100)
    assert len(provider.asked) == LEAST


@pytest.mark.parametrize("error", [PermanentDeliveryError("unknown"), ReceiverBusy("greylisted")])
def test_refused_receivers_are_no_failure_of_the_provider(error: DeliveryError) -> None:
    def refuses() -> str:
        raise error

    provider = Provider(refuses)
    assert set(send(cared(provider), 100)) == {type(error).__name__}
    assert len(provider.asked) == 100


def test_one_lost_connection_is_one_failure() -> None:
    errors = itertools.cycle(OutcomeUnknown("lost", shared=at > 0) for at in range(100))

    def hangs_up() -> str:
        raise next(errors)

    channel = cared(Provider(hangs_up))
    assert send(channel, 19 * 100) == ["OutcomeUnknown"] * 19 * 100
    assert resting(channel) == 0
    send(channel)
    assert resting(channel) > 0


def test_a_provider_that_wants_fewer_messages_is_asked_slower_and_does_not_rest() -> None:
    def busy() -> str:
        raise Throttled("slower")

    provider = Provider(busy)
    channel = cared(provider)
    assert send(channel, 100) == ["Throttled"] + ["RateReached"] * 99
    assert resting(channel) == 0


def test_a_provider_that_asks_for_time_is_left_alone_and_no_try_is_spent() -> None:
    def busy() -> str:
        raise Throttled("429", retry_after=30, keep_away=30)

    provider = Provider(busy)
    channel = cared(provider)
    assert send(channel, 10) == ["Throttled"] + ["ProviderRests"] * 9
    assert resting(channel) == pytest.approx(30, abs=10)


def test_a_failing_provider_rests_for_as_long_as_it_says() -> None:
    def broken() -> str:
        raise TransientDeliveryError("503", retry_after=100)

    channel = cared(Provider(broken))
    send(channel, LEAST)
    assert 10 * FIRST < resting(channel) <= 100


def test_the_breaker_can_be_left_out() -> None:
    provider = Provider(fails)
    care, _ = Care.of(ChannelUrl.parse("null://?breaker=no"))
    send(cared(provider, care), 100)
    assert len(provider.asked) == 100


def test_a_fallback_takes_over_while_the_primary_rests() -> None:
    primary, fallback = Provider(fails), Provider(provider="test://fallback", awaits_receipt=True)
    channel = Failover([cared(primary), cared(fallback)])

    assert send(channel, 100) == ["reference"] * 100

    assert (len(primary.asked), len(fallback.asked)) == (LEAST, 100)
    assert (channel.provider, channel.awaits_receipt) == ("test://fallback", True)
    assert resting(channel) == 0


def test_when_all_rest_nothing_is_asked_and_no_try_is_spent() -> None:
    providers = [Provider(fails), Provider(fails, provider="test://fallback")]
    channel = Failover([cared(one) for one in providers])

    results = send(channel, 100)

    assert results[LEAST:] == ["ProviderRests"] * (100 - LEAST)
    assert resting(channel) > 0


def test_a_real_failure_counts_although_the_fallback_rests() -> None:
    primary, fallback = Provider(fails), Provider(fails, provider="test://fallback")
    resting_fallback = cared(fallback)
    send(resting_fallback, LEAST)
    channel = Failover([cared(primary), resting_fallback])

    assert send(channel) == ["TransientDeliveryError"]
    assert channel.provider == "test://provider"


def test_an_unknown_outcome_goes_to_no_fallback_but_counts_against_the_provider() -> None:
    def silent() -> str:
        raise OutcomeUnknown("no answer")

    primary, fallback = Provider(silent), Provider(provider="test://fallback")
    channel = Failover([cared(primary), cared(fallback)])

    results = send(channel, 100)

    assert results == ["OutcomeUnknown"] * LEAST + ["reference"] * (100 - LEAST)


def test_what_is_above_the_rate_is_no_fallbacks() -> None:
    primary, fallback = Provider(), Provider(provider="test://fallback")
    channel = Failover([cared(primary, Care(rate=Rate(0.01))), cared(fallback)])

    assert send(channel, 3) == ["reference", "RateReached", "RateReached"]
    assert fallback.asked == []


def test_without_redis_each_worker_goes_by_what_it_knows() -> None:
    gone = open_redis(Settings(redis_url="redis://127.0.0.1:1/0"))
    provider = Provider(fails)
    channel = cared(provider, redis=gone)
    send(channel, 100)
    assert len(provider.asked) == LEAST

    rate = Care(rate=Rate(0.01))
    assert send(cared(Provider(), rate, gone), 2) == ["reference", "RateReached"]


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("rate=50", "rate such as 50/s"),
        ("rate=0/s", "rate such as 50/s"),
        ("rate=fast", "rate such as 50/s"),
        ("burst=5", "only with rate="),
        ("rate=5/s&burst=0", "from 1 to 1000"),
        ("slow=0s", "at least 1ms"),
        ("breaker=maybe", "yes or no"),
        ("rate=5/s&rate=6/s", "given twice"),
    ],
)
def test_what_can_not_be_used_is_explained(query: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=says) as caught:
        open_channels(f"null://?{query}", environment(tmp_path, "sms"))
    assert str(caught.value).startswith("TIDINGS_SMS_URL: null://: ")


def test_what_a_url_says_is_heard(tmp_path: Path) -> None:
    url = "null://?latency=1ms&rate=600/m&burst=3&slow=2s"
    care, rest = Care.of(ChannelUrl.parse(url))
    assert care == Care(rate=Rate(10, 3), slow=2.0)
    assert rest.query == (("latency", "1ms"),)
    assert isinstance(open_channels(url, environment(tmp_path, "sms")), Cared)


def test_a_throttled_channel_is_asked_at_its_rate() -> None:
    provider = Provider()
    channel = cared(provider, Care(rate=Rate(100, 10)))
    begun = time.monotonic()

    with ThreadPoolExecutor(8) as pool:
        results = [one for many in pool.map(lambda _: send(channel, 10), range(8)) for one in many]

    took = time.monotonic() - begun
    assert set(results) <= {"reference", RateReached.__name__}
    assert results.count("reference") <= 10 + 100 * (took + 0.25)
    assert took < 30
