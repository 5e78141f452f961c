"""Providers that fail or must not be hurried: what all workers know of them, and who pays."""

import itertools
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from redis import Redis

from channels.base import Channel, Outbound, Receiver
from channels.errors import OutcomeUnknown, ProviderRests, RateReached, ReceiverBusy, Throttled
from channels.health.breaker import LOOK_EVERY, Breaker
from channels.health.failover import Failover
from channels.health.provider import Care, Cared, cared_for, resting
from channels.health.rest import FIRST, SharedRest
from channels.health.tally import LEAST, TELL_EVERY, SharedTally
from channels.health.throttle import Rate, SharedTurns
from channels.registry import open_channels
from channels.testing import ChannelContract, environment, outbound
from communication.channel_url import ChannelUrl
from communication.errors import (
    DeliveryError,
    PermanentDeliveryError,
    SettingsError,
    TransientDeliveryError,
)
from communication.redis_client import open_redis
from communication.settings import Settings
from tests.clock import Clock


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    with closing(open_redis(Settings(redis_url=redis_url))) as client:
        yield client


@dataclass
class Provider:
    """A channel that does what the test says, and counts."""

    answer: Callable[[], str] = lambda: "reference"
    provider: str = "test://provider"
    concurrency: int = 8
    awaits_receipt: bool = False
    asked: list[Outbound] = field(default_factory=list)

    def address(self, receiver: Receiver) -> str:
        return str(receiver.phone)

    def send(self, outbound: Outbound) -> str:
        self.asked.append(outbound)
        return self.answer()

    def close(self) -> None:
        """Nothing."""


def fails() -> str:
    raise TransientDeliveryError("no")


def cared(channel: Channel, care: Care | None = None, redis: Redis | None = None) -> Channel:
    usual = environment(Path(), "sms")
    return cared_for(channel, care or Care(), replace(usual, redis=redis))


def send(channel: Channel, times: int = 1) -> list[str]:
    """The references, or the names of the errors."""
    results = []
    for _ in range(times):
        try:
            results.append(channel.send(outbound()))
        except Exception as error:  # noqa: BLE001 - it is what the test looks at
            results.append(type(error).__name__)
    return results


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
    assert resting(channel) == pytest.approx(30, abs=1)


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


def test_all_workers_know_that_a_provider_rests(redis: Redis) -> None:
    clock = Clock()
    first, second = (breaker("smpp://a", redis, clock) for _ in range(2))
    other = breaker("smpp://b", redis, clock)
    second.check()

    for _ in range(LEAST):
        first.end(first.begin(), worked=False)
    clock.now += LOOK_EVERY

    for one in (first, second):
        with pytest.raises(ProviderRests):
            one.begin()
    other.check()


def breaker(provider: str, redis: Redis, clock: Clock) -> Breaker:
    rest, tally = SharedRest(redis, provider), SharedTally(redis, provider, clock)
    return Breaker(provider, rest, tally, clock=clock)


def fails_for_each(workers: list[Breaker], clock: Clock) -> None:
    """Once for each, when they have not told of a call for a while."""
    clock.now += TELL_EVERY
    for one in workers:
        one.end(one.begin(), worked=False)


def test_failures_count_whichever_worker_meets_them(redis: Redis) -> None:
    clock = Clock()
    workers = [breaker("smpp://a", redis, clock) for _ in range(LEAST // 2)]
    fails_for_each(workers, clock)
    breaker("smpp://a", redis, clock).check()
    fails_for_each(workers, clock)
    with pytest.raises(ProviderRests):
        breaker("smpp://a", redis, clock).check()


def test_one_worker_that_fails_among_many_that_work_proves_nothing(redis: Redis) -> None:
    clock = Clock()
    *working, failing = [breaker("smpp://a", redis, clock) for _ in range(4)]
    for one in working:
        for _ in range(LEAST):
            one.end(one.begin(), worked=True)
        clock.now += TELL_EVERY
        one.end(one.begin(), worked=True)
    for _ in range(LEAST):
        failing.end(failing.begin(), worked=False)
    failing.check()


def test_what_all_workers_counted_is_forgotten_when_it_is_old(redis: Redis) -> None:
    first, second = (SharedTally(redis, "smpp://a") for _ in range(2))
    assert not any(first.count(worked=False) for _ in range(LEAST - 1))
    (key,) = redis.scan_iter("tidings:provider:*:calls")
    assert 0 < redis.ttl(key) <= 10
    redis.delete(key)
    assert not second.count(worked=False)


def test_a_provider_that_asks_to_be_left_alone_is_by_all_workers(redis: Redis) -> None:
    clock = Clock()
    first, second = (breaker("smpp://a", redis, clock) for _ in range(2))
    second.check()
    first.keep_away(30)
    clock.now += LOOK_EVERY
    for one in (first, second):
        assert one.rests() == pytest.approx(30, abs=1)


def test_one_of_all_workers_probes_and_all_go_on(redis: Redis) -> None:
    rests = [SharedRest(redis, "smpp://a") for _ in range(3)]
    assert rests[0].begin(0) == pytest.approx(FIRST, abs=0.1)
    assert rests[1].begin(0) == pytest.approx(FIRST, abs=0.1)
    _end_of_rest(redis)

    assert [rest.look() for rest in rests] == [(0, True)] * 3
    assert [rest.may_probe(30) for rest in rests] == [True, False, False]
    assert rests[0].begin(0) == 2 * FIRST
    _end_of_rest(redis)
    assert rests[2].may_probe(30)
    rests[2].end()

    assert [rest.look() for rest in rests] == [(0, False)] * 3
    assert rests[1].begin(30) == 30


def _end_of_rest(redis: Redis) -> None:
    (key,) = redis.scan_iter("tidings:provider:*:rest")
    redis.delete(key)


def test_all_workers_keep_to_one_rate_together(redis: Redis) -> None:
    turns = [SharedTurns(redis, "smpp://a", Rate(100)) for _ in range(4)]

    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda at: turns[at % 4].take("normal", 5.0), range(100)))

    ends = time.monotonic()
    assert all(granted for granted, _ in taken)
    # The last turn is a second after the first, whatever time the asking took.
    assert max(wait for _, wait in taken) <= 1.0
    assert len({round(wait, 3) for _, wait in taken}) > 50
    granted, again = turns[0].take("bulk", 0.0)
    assert not granted
    assert 0 < again <= 1.5 - (time.monotonic() - ends)


def test_those_put_off_get_times_of_their_own(redis: Redis) -> None:
    turns = SharedTurns(redis, "smpp://a", Rate(10))
    taken = [turns.take("bulk", 0.0) for _ in range(50)]
    again = [wait for granted, wait in taken if not granted]
    assert len(again) > 25
    assert again[-1] > 2
    assert all(later > earlier for earlier, later in itertools.pairwise(again))


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
    assert took < 5
