"""A gateway's webhook, read as receipts."""

import hmac
from base64 import b64encode
from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import sha1

from communication.gateway.description import ReceiptTable
from communication.gateway.fields import Said, find
from communication.gateway.gateway import Gateway
from communication.receipts.receipt import Receipt, ReceiptState


def with_secret(gateways: Iterable[Gateway], key: str) -> Gateway | None:
    """The gateway whose secret this is."""
    given = key.encode("utf-8", "replace")
    matching = [one for one in gateways if hmac.compare_digest(one.secret.encode(), given)]
    return matching[0] if matching else None


def is_signed(gateway: Gateway, said: Said, url: str, form: Iterable[tuple[str, str]]) -> bool:
    """Whether the request bears the signature that the gateway's file asks for, if any.

    `url`: as the gateway was told it; `form`: the body's fields, repeated ones included.
    """
    table = gateway.description.receipt
    if table is None or table.signature is None:
        return True
    expected = _twilio_signature(gateway.password, url, form)
    given = said.headers.get("x-twilio-signature", "")
    return hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace"))


def read_receipts(gateway: Gateway, said: Said) -> list[Receipt]:
    """What the request tells; a state that the file does not know is the unknown one.

    ValueError, naming what is missing, if it is no receipt.
    """
    table = gateway.description.receipt
    if table is None:
        return []
    items = said.each(table.each)
    if not items:
        raise ValueError(f"there is no list at {table.each!r}")
    return [_receipt(gateway.provider, table, item) for item in items]


def _receipt(provider: str, table: ReceiptTable, said: Said) -> Receipt:
    reference, state = find(table.reference, said), find(table.state, said)
    if not reference:
        raise ValueError("there is no reference")
    if not state:
        raise ValueError("there is no state")
    return Receipt(
        provider=provider,
        reference=reference,
        state=_state(table, state),
        reason=find(table.reason, said) or None,
        at=_moment(find(table.at, said)),
    )


def _state(table: ReceiptTable, told: str) -> ReceiptState:
    for state, words in table.states.items():
        if told.casefold() in (word.casefold() for word in words):
            return state
    return ReceiptState.UNKNOWN


def _moment(text: str | None) -> datetime | None:
    """ISO 8601, in UTC where it has no zone."""
    try:
        moment = datetime.fromisoformat(text or "")
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _twilio_signature(token: str, url: str, form: Iterable[tuple[str, str]]) -> str:
    """X-Twilio-Signature (twilio.com/docs/usage/security): HMAC-SHA1 is theirs to choose."""
    signed = url + "".join(name + value for name, value in sorted(set(form)))
    digest = hmac.new(token.encode(), signed.encode("utf-8", "replace"), sha1).digest()
    return b64encode(digest).decode()
