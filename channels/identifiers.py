"""Delivery ids where only plain characters may stand: file names, Message-IDs."""

from hashlib import blake2b
from urllib.parse import quote

_LONGEST = 150


def plain(delivery_id: str) -> str:
    """The id in ASCII letters, digits, `-`, `_`, `~` and `%`, different for different ids.

    An ordinary id stays as it is; an overlong or empty one becomes its hash.
    """
    quoted = quote(delivery_id, safe="", errors="surrogatepass").replace(".", "%2E")
    return quoted if 0 < len(quoted) <= _LONGEST else digest(delivery_id, 16)


def digest(text: str, size: int) -> str:
    """A hash of the text in hexadecimal, of `size` bytes."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=size).hexdigest()
