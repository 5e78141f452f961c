"""What is alike in the messages to all push services."""

from uuid import UUID

from channels.base import Device, Outbound
from channels.identifiers import digest
from communication.errors import DeliveryError, PermanentDeliveryError

MOST_OCTETS = 4096
"""Of a payload: what FCM, APNs, Web Push and ntfy take alike."""


def device_of(outbound: Outbound, platform: str) -> Device:
    """The one device that a push service is given. PermanentDeliveryError if it has none."""
    for device in outbound.devices:
        if device.platform == platform:
            return device
    raise PermanentDeliveryError(f"the app user has no registered device for {platform}")


def data_of(outbound: Outbound) -> dict[str, str]:
    """What the app is told beside the text."""
    return {"messageId": outbound.message_id, "deliveryId": outbound.delivery_id}


def collapse_id(outbound: Outbound) -> str:
    """32 hexadecimal digits, the same at every try: a repeat takes the place of the first."""
    return digest(outbound.delivery_id, 16)


def notification_id(outbound: Outbound, device: Device) -> str:
    """A UUID that is the same at every try, and another for each device."""
    return str(UUID(hex=digest(f"{device.key} {outbound.delivery_id}", 16)))


def check_size(payload: bytes, most: int = MOST_OCTETS) -> None:
    """PermanentDeliveryError if the payload is too large for the service."""
    if len(payload) > most:
        raise PermanentDeliveryError(
            f"the payload has {len(payload)} bytes, the service takes {most}: shorten the text"
        )


def without_token(error: DeliveryError, device: Device) -> DeliveryError:
    """The error, with nothing in its reason that would let others send to the device."""
    if device.token in error.reason:
        error.reason = error.reason.replace(device.token, "…")
        error.args = (error.reason,)
    return error
