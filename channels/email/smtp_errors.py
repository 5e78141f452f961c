"""What goes wrong between us and an SMTP server, in words that are recorded."""

import ssl

from channels.email.smtp_wire import Reply
from channels.errors import ConfigurationFault
from communication.errors import DeliveryError, PermanentDeliveryError, TransientDeliveryError

FAULT_WAIT = 60.0
"""Seconds until the next try where a setting is wrong: a person has to mend it."""
_OUT_OF_STEP = frozenset({421, 503})
"""The server ends the conversation, or has lost its thread: the mail is not to blame."""
_REFUSES_US = frozenset({530, 534, 535, 538})
"""TLS or a login is wanted (RFC 3207, 4954): not the mail's fault, whatever the command."""
_PERMANENT = 500
"""The least code of those that refuse for good (RFC 5321 §4.2.1)."""


class NotNow(TransientDeliveryError):
    """The server takes no conversation just now: it has too many, or is busy."""


class ConnectionLost(TransientDeliveryError):
    """The server hung up, or was not reached."""


def in_words(error: OSError, stage: str) -> DeliveryError:
    """A network error as what it means for the mail, saying when it happened."""
    if isinstance(error, TimeoutError):
        return TransientDeliveryError(f"timed out: {stage}")
    if isinstance(error, ssl.SSLCertVerificationError):
        reason = f"the server's certificate is not valid: {error.verify_message}"
        return ConfigurationFault(reason, retry_after=FAULT_WAIT)
    return ConnectionLost(f"connection lost: {stage}: {error.strerror or error}")


def unwelcome(reply: Reply, before: str = "") -> TransientDeliveryError:
    """What it means that a server does not take us in. A 5xx is about us, not about the mail."""
    if reply.code < _PERMANENT:
        return NotNow(before + reply.reason)
    return ConfigurationFault(before + reply.reason, retry_after=FAULT_WAIT)


def refusal(reply: Reply) -> DeliveryError:
    """What it means for a mail that the server does not go on with it."""
    if reply.code in _OUT_OF_STEP:
        return ConnectionLost(reply.reason)
    if reply.code in _REFUSES_US:
        return ConfigurationFault(reply.reason, retry_after=FAULT_WAIT)
    if reply.code >= _PERMANENT:
        return PermanentDeliveryError(reply.reason)
    return TransientDeliveryError(reply.reason)
