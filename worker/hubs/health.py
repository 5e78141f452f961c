"""How a hub is doing, by what came of its callbacks: decisions only."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from worker.hubs.post import Tried
from worker.hubs.schedule import Schedule
from worker.hubs.verdict import Verdict

ILL_AFTER = 4
"""Tries in a row that fail and may work later; then the hub rests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """`failing_since`: nothing has succeeded from then on. `resting_until`: it was left alone.

    One that has rested is tried with a single callback before it is told all the rest.
    """

    failing_since: datetime | None = None
    resting_until: datetime | None = None
    disabled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How often and how long hubs are tried. `jitter` gives 0 to 1."""

    schedule: Schedule
    gives_up_after: timedelta
    jitter: Callable[[], float] = random.random

    def next_try(self, one: Tried, *, now: datetime) -> datetime | None:
        """When a callback is tried again after this try, None if never."""
        if one.result.verdict is not Verdict.RETRY:
            return None
        attempts, asked = one.job.attempts + 1, one.result.retry_after
        return self.schedule.next_try(attempts, asked, now=now, jitter=self.jitter())

    def judge(self, before: Health, tries: Sequence[Tried], *, ill: bool, now: datetime) -> Health:
        """The hub's health after these tries, in the order in which they ended.

        `ill`: the last of them were too many failures in a row. A hub rests too when it asks
        for it by Retry-After.
        """
        since = before.failing_since
        asked = 0.0
        for one in tries:
            worked = one.result.verdict is Verdict.DELIVERED
            since = None if worked else since or one.at
            asked = 0.0 if worked else max(asked, one.result.retry_after)
        if since is None:
            return Health()
        if now - since >= self.gives_up_after:
            return Health(failing_since=since, disabled=True)
        if ill or asked:
            until = self.schedule.rest(since, asked, now=now, jitter=self.jitter())
            return Health(failing_since=since, resting_until=until)
        recovered = any(one.result.verdict is Verdict.DELIVERED for one in tries)
        resting = None if recovered else before.resting_until
        return Health(failing_since=since, resting_until=resting)


def streak_of(before: int, tries: Sequence[Tried]) -> int:
    """How many tries in a row have failed that may work later, `before` of them earlier."""
    streak = before
    for one in tries:
        if one.result.verdict is Verdict.RETRY:
            streak += 1
        elif one.result.verdict is Verdict.DELIVERED:
            streak = 0
    return streak
