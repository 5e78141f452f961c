"""What channels tell each other beyond communication.errors."""

from datetime import datetime

from communication.errors import PermanentDeliveryError, TransientDeliveryError


class OutcomeUnknown(TransientDeliveryError):
    """The message was handed over and no answer came: the provider may have taken it.

    A fallback must not send it at once, for that would likely be a duplicate.
    """

    def __init__(
        self, reason: str, *, retry_after: float | None = None, shared: bool = False
    ) -> None:
        super().__init__(reason, retry_after=retry_after)
        self.shared = shared
        """The same connection was lost for another message, which says so: of the provider
        it is one failure."""


class Throttled(TransientDeliveryError):
    """The provider wants fewer messages, and so it works. `retry_after` is this message's."""

    def __init__(
        self, reason: str, *, retry_after: float | None = None, keep_away: float = 0.0
    ) -> None:
        super().__init__(reason, retry_after=retry_after)
        self.keep_away = keep_away
        """Seconds for which it asks to be sent nothing at all."""


class ConfigurationFault(TransientDeliveryError):
    """The provider refuses us, not the message: a wrong password, an invalid certificate.

    Transient, so that a mistake in a setting does not end messages for good.
    """


class ReceiverBusy(TransientDeliveryError):
    """It may work later, and only this receiver is concerned: a full mailbox, greylisting.

    No failure of the provider.
    """


class DeviceGone(PermanentDeliveryError):
    """The push service knows this device no more: the app was removed, the permission revoked."""

    def __init__(self, reason: str, *, since: datetime | None = None) -> None:
        super().__init__(reason)
        self.since = since
        """When the service noticed, if it tells: a later registration is a good one."""


class PutOff(TransientDeliveryError):
    """The provider has done nothing: no try is spent. `retry_after` says when to come again."""


class ProviderRests(PutOff):
    """It failed too often of late; a fallback may send it now."""


class NotTaken(PutOff):
    """It was asked, and says that it has not acted on the message (RFC 9113 §8.7).

    A failure of the provider, unless it works and is asked `too_fast`; a fallback may send it now.
    """

    def __init__(
        self, reason: str, *, retry_after: float | None = None, too_fast: bool = False
    ) -> None:
        super().__init__(reason, retry_after=retry_after)
        self.too_fast = too_fast


class RateReached(PutOff):
    """It is asked as fast as it may be; a fallback is not meant for the rest."""
