"""What goes wrong between us and an SMTP server, in words that are recorded."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from channels.errors import ConfigurationFault
from communication.errors import TransientDeliveryError

FAULT_WAIT = 60.0
"""Seconds until the next try where a setting is wrong: a person has to mend it."""


class ConnectionLost(TransientDeliveryError):
    """The server hung up, or was not reached."""


@contextmanager
def in_words(stage: str) -> Iterator[None]:
    """Network errors as TransientDeliveryErrors whose reason says when it happened."""
    try:
        yield
    except TimeoutError as error:
        raise TransientDeliveryError(f"timed out: {stage}") from error
    except ssl.SSLCertVerificationError as error:
        reason = f"the server's certificate is not valid: {error.verify_message}"
        raise ConfigurationFault(reason, retry_after=FAULT_WAIT) from error
    except OSError as error:
        why = error.strerror or str(error)
        raise ConnectionLost(f"connection lost: {stage}: {why}") from error
