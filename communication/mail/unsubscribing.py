"""How a receiver leaves a list, in one characteristic of the message or of the receiver.

It becomes `List-Unsubscribe` (RFC 2369) and, with https, one-click `List-Unsubscribe-Post`
(RFC 8058).
"""

import re

UNSUBSCRIBE_URL = "unsubscribeUrl"
"""The characteristic's name."""

# What RFC 3986 lets a URI hold: neither space, control character nor <>, so that it can't
# leave its header.
_URL = re.compile(
    r"(?:https://[A-Za-z0-9\[]|mailto:)[A-Za-z0-9._~:/?#\[\]@!$&'()*+;=%-]+", re.IGNORECASE
)
_LONGEST = 900
"""Characters, within RFC 5322's line of 998; and what else is on the line."""


def unsubscribe_url(value: object) -> str | None:
    """The value, if it can stand in the header: an `https` or `mailto` URL."""
    usable = isinstance(value, str) and len(value) <= _LONGEST and _URL.fullmatch(value)
    return value if isinstance(value, str) and usable else None


def is_one_click(url: str) -> bool:
    """Whether a POST to it, without asking back, unsubscribes."""
    return url[:5].lower() == "https"
