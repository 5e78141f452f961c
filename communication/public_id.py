"""Ids as clients write them, in paths and in bodies; names of tenants and of programs."""

import re

ID_LONGEST = 128
TENANT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
"""A tenant's name: as it stands in access tokens, it may name a folder."""
_LONGEST_CLIENT = 255
_MARKS = frozenset("0123456789._-")


def is_public_id(text: str) -> bool:
    r"""Whether it is `^[\p{L}0-9._\-]+$` (seeds 001 and 004), and not too long."""
    return 0 < len(text) <= ID_LONGEST and all(
        letter in _MARKS or letter.isalpha() for letter in text
    )


def is_client(text: str) -> bool:
    """Whether a program can be named so.

    No database keeps a NUL or half a surrogate pair, and people read it.
    """
    return 1 <= len(text) <= _LONGEST_CLIENT and text.isprintable()
