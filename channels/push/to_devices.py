"""One message to all devices of an app's user, each through the push service that reaches it."""

import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import dataclass, replace

import structlog

from channels.addresses import address_of
from channels.base import Channel, Device, Environment, Outbound, Receiver
from channels.errors import DeviceGone, OutcomeUnknown, PutOff
from channels.health.bounded import Bounded
from channels.health.failover import in_turn
from channels.health.provider import resting
from channels.push.content import without_token
from communication.errors import DeliveryError, PermanentDeliveryError, TransientDeliveryError
from communication.wire.device import Platform

Listed = Sequence[tuple[str | None, Channel]]
"""Channels in the order of the setting, each with the platform whose devices it is for."""

log = structlog.get_logger(part="channels.push.to_devices")


def open_push(listed: Listed, environment: Environment) -> "Push":
    """The channel that has every device reached by those of its platform, in their order.

    Channels without a platform (`folder://`) take what is for any device, and messages to users
    who have none.
    """
    patience = environment.send_timeout
    bounded = [(platform, Bounded(channel, patience)) for platform, channel in listed]
    routes = {platform: _in_turn(bounded, platform) for platform in Platform}
    return Push(routes, _in_turn(bounded, None), environment, [one for _, one in bounded])


def most_in_turn(platforms: Sequence[str | None]) -> int:
    """How many of these channels, at most, try the same device one after the other."""
    return max(sum(one in (None, platform) for one in platforms) for platform in Platform)


def _in_turn(listed: Listed, platform: str | None) -> Channel | None:
    channels = [channel for one, channel in listed if one in (None, platform)]
    return in_turn(channels) if channels else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Try:
    """What became of one device. `result`: the provider's reference, or what went wrong."""

    device: Device
    provider: str
    result: str | DeliveryError


class Push:
    """Sends to a user's devices side by side; one that accepts is enough."""

    def __init__(
        self,
        routes: Mapping[Platform, Channel | None],
        whole: Channel | None,
        environment: Environment,
        channels: Sequence[Channel],
    ) -> None:
        self._routes = routes
        self._whole = whole
        self._environment = environment
        self._channels = channels
        # Each keeps to its own width: a narrow one makes none of the others narrow.
        self.concurrency = max(channel.concurrency for channel in channels)
        self._pool = ThreadPoolExecutor(self.concurrency, thread_name_prefix="push")
        self._asked = threading.local()

    @property
    def provider(self) -> str:
        """Those that accepted this thread's last message, or else all that it asked."""
        return getattr(self._asked, "provider", "push://")

    def resting(self) -> float:
        """Seconds for which none of them is to be asked."""
        return min(resting(channel) for channel in self._channels)

    def address(self, receiver: Receiver) -> str:
        """The app user's id."""
        self._asked.provider = "push://"
        return address_of(receiver, "push")

    def send(self, outbound: Outbound) -> str:
        """The references of the devices that it went to, parted by spaces.

        Where no device accepts it, the error is transient if it is for one of them.
        """
        if not outbound.devices:
            return self._send_whole(outbound)
        tries = self._try_all(outbound)
        for one in tries:
            self._note(outbound, one)
        accepted = [one for one in tries if isinstance(one.result, str)]
        self._asked.provider = _joined((one.provider for one in accepted or tries), ",")
        if not accepted:
            raise _combined([one for one in tries if isinstance(one.result, DeliveryError)])
        return _joined((str(one.result) for one in accepted), " ")

    def close(self) -> None:
        """Close all of them."""
        self._pool.shutdown()
        for channel in self._channels:
            channel.close()

    def _send_whole(self, outbound: Outbound) -> str:
        if self._whole is None:
            raise PermanentDeliveryError("the app user has no registered device")
        try:
            return self._whole.send(outbound)
        finally:
            self._asked.provider = self._whole.provider

    def _try_all(self, outbound: Outbound) -> list[_Try]:
        """The last in this thread, as most users have one device; the others beside it."""
        ends = time.monotonic() + self._environment.send_timeout
        *others, last = outbound.devices
        begun = [(device, self._begin(outbound, device)) for device in others]
        tries = [self._try(outbound, last)]
        wait([future for _, future in begun], timeout=max(0.0, ends - time.monotonic()))
        return [*(_ended(device, future) for device, future in begun), *tries]

    def _begin(self, outbound: Outbound, device: Device) -> "Future[_Try]":
        try:
            return self._pool.submit(copy_context().run, self._try, outbound, device)
        except RuntimeError:
            future: Future[_Try] = Future()
            error = TransientDeliveryError("the channel is closed")
            future.set_result(_Try(device=device, provider="push://", result=error))
            return future

    def _try(self, outbound: Outbound, device: Device) -> _Try:
        channel = self._routes.get(Platform(device.platform))
        if channel is None:
            error = PermanentDeliveryError(f"TIDINGS_PUSH_URL names nothing for {device.platform}")
            return _Try(device=device, provider="push://", result=error)
        result: str | DeliveryError
        try:
            result = channel.send(replace(outbound, devices=(device,)))
        except DeliveryError as error:
            result = without_token(error, device)
        except Exception as error:
            log.exception("unexpected error", platform=device.platform)
            result = TransientDeliveryError(f"unexpected {type(error).__name__}")
        return _Try(device=device, provider=channel.provider, result=result)

    def _note(self, outbound: Outbound, one: _Try) -> None:
        """Log what went wrong with one device, and have it unregistered if it is gone."""
        if isinstance(one.result, str):
            return
        log.info(
            "device not reached",
            delivery=outbound.delivery_id,
            device=one.device.key,
            platform=one.device.platform,
            reason=one.result.reason,
        )
        if isinstance(one.result, DeviceGone) and _is_still(one.device, one.result):
            self._environment.on_gone(one.device)


def _is_still(device: Device, gone: DeviceGone) -> bool:
    return gone.since is None or device.registered_at <= gone.since


def _ended(device: Device, future: "Future[_Try]") -> _Try:
    if future.done():
        return future.result()
    error: DeliveryError = OutcomeUnknown("timed out: it may have been taken")
    if future.cancel():
        error = TransientDeliveryError("timed out: the other devices took all the time")
    return _Try(device=device, provider="push://", result=error)


def _combined(failed: Sequence[_Try]) -> DeliveryError:
    """The error of all devices together: to be tried again if that may help one of them."""
    errors = [one.result for one in failed if isinstance(one.result, DeliveryError)]
    if len(errors) == 1:
        return errors[0]
    put_off = [one for one in errors if isinstance(one, PutOff)]
    if put_off and all(isinstance(one, PutOff | PermanentDeliveryError) for one in errors):
        return min(put_off, key=lambda one: one.retry_after or 0.0)
    reason = _joined((f"{one.device.platform}: {one.result}" for one in failed), "; ")
    passing = [one for one in errors if isinstance(one, TransientDeliveryError)]
    if not passing:
        return PermanentDeliveryError(reason)
    unknown = any(isinstance(one, OutcomeUnknown) for one in passing)
    kind = OutcomeUnknown if unknown else TransientDeliveryError
    return kind(reason, retry_after=min(one.retry_after or 0 for one in passing))


def _joined(texts: Iterable[str], between: str) -> str:
    """Each text once."""
    return between.join(dict.fromkeys(texts))
