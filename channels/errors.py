"""What channels tell each other beyond communication.errors."""

from communication.errors import TransientDeliveryError


class OutcomeUnknown(TransientDeliveryError):
    """The message was handed over and no answer came: the provider may have taken it.

    A fallback must not send it at once, for that would likely be a duplicate.
    """


class ConfigurationFault(TransientDeliveryError):
    """The provider refuses us, not the message: a wrong password, an invalid certificate.

    Transient, so that a mistake in a setting does not end messages for good.
    """
