"""What is done alike for every provider: it is spared while it fails, and not asked too fast."""

from dataclasses import dataclass, replace
from typing import Self

from channels.base import Channel, Environment, Outbound, Receiver, awaits_receipt
from channels.errors import NotTaken, PutOff, ReceiverBusy, Throttled
from channels.health.breaker import SLOW, Breaker, Trial
from channels.health.hosts import CaredByHost
from channels.health.identity import Identity
from channels.health.pace import Pace
from channels.health.rest import open_rest
from channels.health.tally import open_tally
from channels.health.throttle import Rate, Throttle, open_throttle
from communication import metrics
from communication.channel_url import ChannelUrl, Parameters
from communication.errors import PermanentDeliveryError, TransientDeliveryError

AFTER_OTHERS = 1.0
"""Seconds after a rest until a message comes back that has failed before it."""
_NAMES = ("rate", "burst", "slow", "breaker")


@dataclass(frozen=True, slots=True, kw_only=True)
class Care:
    """What a channel's URL says of these, whatever its scheme."""

    rate: Rate | None = None
    slow: float = SLOW
    breaks: bool = True

    @classmethod
    def of(cls, url: ChannelUrl) -> tuple[Self, ChannelUrl]:
        """From `?rate=50/s&burst=100&slow=5s&breaker=yes`; and the URL without them."""
        own = tuple(pair for pair in url.query if pair[0] in _NAMES)
        parameters = Parameters(replace(url, query=own))
        per_second = parameters.rate("rate")
        burst = parameters.count("burst", 0)
        if burst and per_second is None:
            raise url.fault("burst= has a meaning only with rate=")
        care = cls(
            rate=None if per_second is None else Rate(per_second, burst or 1),
            slow=parameters.duration("slow", SLOW, least=0.001),
            breaks=parameters.flag("breaker", default=True),
        )
        rest = tuple(pair for pair in url.query if pair[0] not in _NAMES)
        return care, replace(url, query=rest)


def cared_for(
    channel: Channel, care: Care, environment: Environment, identity: Identity
) -> Channel:
    """The channel, asked only when its provider may be. `identity`: who that is.

    One that has a method `host_of(outbound)` asks hosts that clients name: each is a provider
    by itself, for one of them could be made to fail on purpose.
    """
    redis = environment.redis
    throttle = None if care.rate is None else open_throttle(redis, identity, care.rate)

    def of(whose: Identity) -> Channel:
        pace = Pace(whose)
        if not care.breaks:
            return Cared(channel, identity, throttle=throttle, pace=pace)
        longest = environment.send_timeout + 5
        rest, tally = open_rest(redis, whose), open_tally(redis, whose)
        breaker = Breaker(whose, rest, tally, slow=care.slow, longest=longest)
        return Cared(channel, identity, breaker=breaker, throttle=throttle, pace=pace)

    host_of = getattr(channel, "host_of", None)
    if host_of is None:
        return of(identity)
    return CaredByHost(channel, host_of, lambda host: of(identity.at(host)))


def resting(channel: Channel) -> float:
    """Seconds for which no provider of the channel is to be asked; 0: it may be."""
    rests = getattr(channel, "resting", None)
    return rests() if rests else 0.0


class Cared:
    """A channel whose provider rests after failures and is not asked faster than it allows."""

    def __init__(
        self,
        channel: Channel,
        identity: Identity,
        *,
        breaker: Breaker | None = None,
        throttle: Throttle | None = None,
        pace: Pace | None = None,
    ) -> None:
        self.concurrency = channel.concurrency
        self._channel = channel
        self._breaker = breaker
        self._throttle = throttle
        self._pace = pace
        self._paced = Throttle(channel.provider, pace) if pace else None
        whose = (identity.medium, identity.name)
        self._accepted = metrics.PROVIDER_CALLS.labels(*whose, "accepted")
        self._refused = metrics.PROVIDER_CALLS.labels(*whose, "refused")
        self._throttled = metrics.PROVIDER_CALLS.labels(*whose, "throttled")
        self._failed = metrics.PROVIDER_CALLS.labels(*whose, "failed")

    @property
    def provider(self) -> str:
        """The channel's."""
        return self._channel.provider

    @property
    def awaits_receipt(self) -> bool:
        """The channel's."""
        return awaits_receipt(self._channel)

    def resting(self) -> float:
        """Seconds for which the provider is not to be asked."""
        return self._breaker.rests() if self._breaker else 0.0

    def address(self, receiver: Receiver) -> str:
        """The channel's."""
        return self._channel.address(receiver)

    def send(self, outbound: Outbound) -> str:
        """The channel's reference. PutOff if the provider was not asked at all."""
        if self._breaker:
            self._breaker.check()
        for throttle in (self._paced, self._throttle):
            if throttle:
                throttle.wait(outbound.priority)
        return self._send_watched(outbound) if self._breaker else self._send(outbound)

    def close(self) -> None:
        """Close the channel."""
        self._channel.close()

    def _send(self, outbound: Outbound) -> str:
        try:
            reference = self._channel.send(outbound)
        except BaseException as error:
            self._count(error)
            raise
        self._accepted.inc()
        if self._pace:
            self._pace.accepted()
        return reference

    def _count(self, error: BaseException) -> None:
        if _is_too_fast(error):
            self._throttled.inc()
            if self._pace:
                self._pace.complained()
        elif isinstance(error, PermanentDeliveryError | ReceiverBusy):
            self._refused.inc()
        elif not isinstance(error, PutOff) or isinstance(error, NotTaken):
            self._failed.inc()

    def _send_watched(self, outbound: Outbound) -> str:
        breaker = self._breaker
        assert breaker is not None  # noqa: S101 - for mypy; see send
        trial = breaker.begin()
        try:
            reference = self._send(outbound)
        except BaseException as error:
            _told(breaker, trial, error, in_vain=bool(self._pace and self._pace.is_in_vain))
            _let_others_probe(breaker, error)
            raise
        breaker.end(trial, worked=True)
        return reference


def _let_others_probe(breaker: Breaker, error: BaseException) -> None:
    """Have it come back after those that are put off.

    Else the first of them would be the one that probes each time, until it has no tries left.
    """
    rest = breaker.rests()
    if rest and isinstance(error, TransientDeliveryError):
        error.retry_after = max(error.retry_after or 0.0, rest + AFTER_OTHERS)


def _says_nothing(error: BaseException) -> bool:
    was_not_asked = isinstance(error, PutOff) and not isinstance(error, NotTaken)
    return was_not_asked or getattr(error, "shared", False)


def _is_too_fast(error: BaseException) -> bool:
    return isinstance(error, Throttled) or getattr(error, "too_fast", False)


def _told(breaker: Breaker, trial: Trial, error: BaseException, *, in_vain: bool) -> None:
    """What a failed call says of the provider. `in_vain`: to ask it slower is of no use."""
    if _is_too_fast(error):
        asked = getattr(error, "keep_away", 0.0)
        if in_vain:
            breaker.rest(asked)
            return
        breaker.end(trial, worked=True)
        if asked:
            breaker.keep_away(asked)
    elif isinstance(error, PermanentDeliveryError | ReceiverBusy):
        # It is about this receiver, so the provider works.
        breaker.end(trial, worked=True)
    elif _says_nothing(error):
        breaker.leave(trial)
    else:
        breaker.end(trial, worked=False, at_least=getattr(error, "retry_after", None) or 0.0)
