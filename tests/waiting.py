"""The one way in which tests wait: look again and again until a deadline."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(
    condition: Callable[[], T],
    *,
    within: float = 10.0,
    every: float = 0.02,
    otherwise: str = "what was waited for did not happen",
) -> T:
    """Call the condition until its answer is true, and return that answer.

    Times are in seconds. Raises AssertionError, with the `otherwise` text and the last answer,
    when the deadline passes; an exception of the condition itself is not caught.
    """
    deadline = time.monotonic() + within
    while not (answer := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{otherwise} within {within:g} s; last answer: {answer!r}")
        time.sleep(every)
    return answer
