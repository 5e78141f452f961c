"""The one id maker."""

import uuid_utils


def new_id() -> str:
    """A fresh UUIDv7 (RFC 9562): unique for ever and in order of time."""
    return str(uuid_utils.uuid7())


def delivery_id(message_uid: str, send: int, ordinal: int) -> str:
    """The public id of one delivery: the same at every try, unique for ever.

    Built from the message's own uid, not from its public id, which is free again
    once the message is deleted.
    """
    return f"{message_uid}-{send}-{ordinal}"
