"""Where a mail comes back to when it can't be delivered: an address of each delivery's own.

`bounce+<delivery>-<proof>@example.org` (VERP). The proof is a MAC: nobody who has not been sent
that very mail can write a bounce for it, and so none for somebody else's address. Everything in it
survives a server that turns local parts into small letters.
"""

import hmac
import re
from base64 import b32encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

from communication.ids import delivery_id
from communication.wire.mailbox import Mailbox

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_PROOF_LENGTH = 10  # characters of five bits
_DELIVERY = re.compile(
    r"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})-([0-9]{1,9})-([0-9]{1,9})"
)
_UID_LENGTH = 25
_TOKEN = re.compile(
    rf"\+([0-9a-z]{{{_UID_LENGTH}}})-([0-9a-z]{{1,6}})-([0-9a-z]{{1,6}})-([a-z2-7]{{{_PROOF_LENGTH}}})@",
    re.IGNORECASE,
)
LONGEST_LOCAL = 16
"""Characters before the +, so that the whole stays within RFC 5321's 64."""


class DeliveryName(NamedTuple):
    """A delivery by what its public id is made of."""

    message_uid: str
    send: int
    ordinal: int

    @property
    def public_id(self) -> str:
        """The delivery's public id."""
        return delivery_id(*self)


def delivery_name(public_id: str) -> DeliveryName | None:
    """What a delivery's public id says; None if it is none."""
    match = _DELIVERY.fullmatch(public_id)
    return match and DeliveryName(match[1], int(match[2]), int(match[3]))


@dataclass(frozen=True, slots=True, kw_only=True)
class BounceAddress:
    """Makes and understands them. The first secret proves, all of them are believed."""

    base: Mailbox
    secrets: Sequence[str] = field(repr=False)

    def of(self, public_id: str) -> Mailbox:
        """The address of one delivery; the bare one for what has no delivery's id."""
        name = delivery_name(public_id)
        if name is None:
            return self.base
        uid = _to_36(UUID(name.message_uid).int).rjust(_UID_LENGTH, "0")
        token = f"{uid}-{_to_36(name.send)}-{_to_36(name.ordinal)}"
        proof = _proof(self.secrets[0], token)
        return Mailbox(f"{self.base.local}+{token}-{proof}", self.base.domain)

    def deliveries_in(self, text: str) -> list[DeliveryName]:
        """Those of the addresses in a text that are ours, whose proof holds."""
        return [name for match in _TOKEN.finditer(text) if (name := self._proved(match))]

    def _proved(self, match: re.Match[str]) -> DeliveryName | None:
        uid, send, ordinal, proof = (part.lower() for part in match.groups())
        expected = (_proof(secret, f"{uid}-{send}-{ordinal}") for secret in self.secrets)
        if not any(hmac.compare_digest(one, proof) for one in expected):
            return None
        return DeliveryName(str(UUID(int=int(uid, 36))), int(send, 36), int(ordinal, 36))


def _proof(secret: str, token: str) -> str:
    digest = hmac.digest(secret.encode(), token.encode("ascii"), sha256)
    return b32encode(digest).decode("ascii")[:_PROOF_LENGTH].lower()


def _to_36(number: int) -> str:
    digits = ""
    while number >= 36:  # noqa: PLR2004
        number, rest = divmod(number, 36)
        digits = _DIGITS[rest] + digits
    return _DIGITS[number] + digits
