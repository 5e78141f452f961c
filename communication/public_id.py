"""Ids as clients write them, in paths and in bodies."""

ID_LONGEST = 128
_MARKS = frozenset("0123456789._-")


def is_public_id(text: str) -> bool:
    r"""Whether it is `^[\p{L}0-9._\-]+$` (seeds 001 and 004), and not too long."""
    return 0 < len(text) <= ID_LONGEST and all(
        letter in _MARKS or letter.isalpha() for letter in text
    )
