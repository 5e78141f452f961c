"""How a delivery ended, in words of ours: what providers say may hold addresses and names."""

import re

from communication.model import State

CANCELLED = "cancelled"
OTHER = "delivery failed"

_WORDS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), words)
    for pattern, words in (
        (r"worker vanished|^unexpected ", "internal error"),
        (r"^the receiver has no |no device", "no address"),
        (r"attachment", "attachment not usable"),
        (r"render|template|characteristic", "could not be rendered"),
        (r"timed out|timeout|expired|out of time", "timed out"),
        (r"\b5\.1\.\d|unknown|no such|not exist|unregistered|mailbox", "address refused"),
        (r"invalid .*(address|number)|(address|number) .*(valid|can't be)", "address refused"),
        (r"throttl|rate|too many|busy|quota", "provider busy"),
        (
            r"^[24]\d\d\b|connect|closed|unavailable|unreachable|refused us|TLS|login|away",
            "provider not available",
        ),
        (r"^5\d\d\b|refuse|reject|forbid|denied|undeliverable", "refused by the provider"),
    )
)
"""The first that fits what was recorded."""


def order_reason(recorded: str | None) -> str:
    """One of a dozen texts (docs/order-events.md), whatever was recorded of a failure."""
    said = recorded or ""
    return next((words for pattern, words in _WORDS if pattern.search(said)), OTHER)


def ending(state: State, reason: str | None = None) -> dict[str, str] | None:
    """What the event of a delivery's end says of it beside that it is over; None for success."""
    if state is State.CANCELLED:
        return {"message": CANCELLED}
    return {"message": order_reason(reason)} if state is State.FAILED else None
