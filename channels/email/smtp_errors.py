"""What goes wrong between us and an SMTP server, in words that are recorded."""

import ssl

from channels.errors import ConfigurationFault
from communication.errors import DeliveryError, TransientDeliveryError

FAULT_WAIT = 60.0
"""Seconds until the next try where a setting is wrong: a person has to mend it."""


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
