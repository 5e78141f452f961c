"""When a failed try is tried again: decisions only, no clock and no store."""

from collections.abc import Callable
from datetime import datetime, timedelta

from communication.errors import DeliveryError, TransientDeliveryError
from communication.settings import Settings


def next_try(
    error: DeliveryError,
    *,
    attempts: int,
    try_times: int,
    settings: Settings,
    now: datetime,
    jitter: Callable[[], float],
) -> datetime | None:
    """When to try again after the failure number `attempts`, None if never.

    Seed 004: tryTimes is how often a failed send is tried again. Exponential backoff with
    full jitter (`jitter` gives 0-1); a provider's Retry-After is a lower bound, clamped to
    the longest wait.
    """
    if not isinstance(error, TransientDeliveryError) or attempts > try_times:
        return None
    ceiling = min(settings.retry_cap, settings.retry_base * 2 ** min(attempts - 1, 30))
    wait = max(ceiling * jitter(), min(error.retry_after or 0, settings.retry_cap))
    return now + timedelta(seconds=wait)
