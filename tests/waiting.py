"""The one way in which tests wait: look again and again until a deadline."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(
    condition: Callable[[], T],
    *,
    within: float = 120.0,
    every: float = 0.02,
    otherwise: str | Callable[[], str] = "what was waited for did not happen",
) -> T:
    """Call the condition until its answer is true, and return that answer.

    Times are in seconds. Raises AssertionError, with the `otherwise` text, made then where it is a
    function, and the last answer, when the deadline passes; an exception of the condition itself
    is not caught.
    """
    deadline = time.monotonic() + within
    while not (answer := condition()):
        if time.monotonic() > deadline:
            what = otherwise() if callable(otherwise) else otherwise
            raise AssertionError(f"{what} within {within:g} s; last answer: {answer!r}")
        time.sleep(every)
    return answer
