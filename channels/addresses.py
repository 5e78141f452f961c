"""Where a receiver is reached."""

from functools import lru_cache

from channels.base import Receiver
from communication.errors import PermanentDeliveryError
from communication.wire.mailbox import Mailbox
from communication.wire.mailbox import mailbox as parse_mailbox


def address_of(receiver: Receiver, medium: str) -> str:
    """The address that a medium needs: a mailbox, a phone number or an app user's id.

    PermanentDeliveryError if the receiver has none, or one that can't be an address.
    """
    address = {
        "email": receiver.email,
        "sms": receiver.phone,
        "push": receiver.app_user_id,
    }[medium]
    if not address:
        raise PermanentDeliveryError(f"the receiver has no {_ADDRESS_NAMES[medium]}")
    return str(mailbox(address, "receiver")) if medium == "email" else address


_ADDRESS_NAMES = {"email": "email address", "sms": "phone number", "push": "app user id"}


@lru_cache(maxsize=1024)  # senders are few, and a receiver's is asked for twice
def mailbox(address: str, owner: str) -> Mailbox:
    """An email address in its parts.

    PermanentDeliveryError, naming the owner (`receiver`, `sender`), if it is none.
    """
    try:
        return parse_mailbox(address)
    except ValueError as error:
        reason = f"the {owner}'s email address is not valid: {error}"
        raise PermanentDeliveryError(reason) from error
