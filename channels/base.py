"""What a channel is given and what it must do."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from redis import Redis

from channels.email.mail_policy import MailPolicy
from communication.http.guard import Guard
from communication.receipts.receipt import Receipt, ReceiptState

__all__ = [
    "Attachment",
    "Channel",
    "Device",
    "Environment",
    "Outbound",
    "Receipt",
    "ReceiptState",
    "Receiver",
    "Sender",
    "awaits_receipt",
    "drop_receipt",
    "keep_device",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """One installation of the app, or one browser, as it was registered."""

    key: int
    id: str
    platform: str
    """Of communication.wire.device.Platform: which push service reaches it."""
    token: str = field(repr=False)
    """What the service knows it by; for Web Push its endpoint. Whoever has it can send."""
    keys: Mapping[str, str] = field(default_factory=dict, repr=False, hash=False)
    """Of a Web Push subscription: `p256dh` and `auth`, in base64url."""
    locale: str | None = None
    registered_at: datetime
    """When the app last registered it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """One receiver as the client gave it."""

    name: str | None = None
    email: str | None = None
    phone: str | None = None
    app_user_id: str | None = None
    devices: tuple[Device, ...] = ()
    """Of the app user, for push: the one registered last first."""

    @property
    def locale(self) -> str | None:
        """The language of the device that was registered last, of those that tell theirs."""
        return next((device.locale for device in self.devices if device.locale), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """The message's sender; every part may be absent, then the provider's default stands."""

    name: str | None = None
    email: str | None = None
    phone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """One file, already read."""

    name: str
    mime_type: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Outbound:
    """One rendered message to one receiver."""

    delivery_id: str
    """The same at every try: from it come Message-ID, client reference, idempotency header."""
    address: str
    """What `Channel.address` made of the receiver."""
    message_id: str = ""
    """The message's public id."""
    devices: tuple[Device, ...] = ()
    """Of a push receiver. What sends through one push service is given one at a time."""
    receiver_name: str | None = None
    sender: Sender = field(default_factory=Sender)
    subject: str | None = None
    text: str
    html: str | None = None
    attachments: tuple[Attachment, ...] = ()
    unsubscribe_url: str | None = None
    """`https` or `mailto`, from the client: a channel checks it before it uses it."""
    reply_wanted: bool = False
    """The seed's callbackFlag: a reply goes to the sender; without it mail says Auto-Submitted."""
    priority: int = 4


def drop_receipt(_receipt: Receipt) -> Future[None]:
    """What is done about receipts where nobody records them."""
    dropped: Future[None] = Future()
    dropped.set_result(None)
    return dropped


def keep_device(_device: Device) -> None:
    """What is done about gone devices where there is no registry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """What a channel may know of the place it runs in."""

    medium: str
    """`sms`, `email` or `push`."""
    outbox: Path
    """Folder that `folder://` writes into (a subfolder per medium)."""
    default_sender: Sender
    send_timeout: float
    """Seconds: every call to a provider ends before it, shorter than the lease."""
    public_url: str = ""
    """How providers reach us."""
    mail: MailPolicy = field(default_factory=MailPolicy)
    redis: Redis | None = None
    """What is known of providers is shared through it; None: each process knows its own."""
    on_receipt: Callable[[Receipt], "Future[None]"] = drop_receipt
    """What a channel calls with a receipt that came to it; from any thread, returns at once.

    The future ends when the receipt is committed, or in the error that prevented it: only then
    is the provider answered. Receipts of one moment are recorded together, so a channel goes on
    reading meanwhile instead of waiting for each.
    """
    on_gone: Callable[[Device], None] = keep_device
    """Told of a device that its push service knows no more."""
    guard: Guard = field(default_factory=Guard)
    """Where URLs that clients name may lead."""


class Channel(Protocol):
    """Hands one rendered message to one provider. Shared by threads."""

    @property
    def provider(self) -> str:
        """What attempts and metrics call it: the URL without its secrets.

        Where there are fallbacks it is the one that the asking thread tried last, so it is
        read after `send`, in the same thread.
        """
        ...

    concurrency: int
    """How many sends may run side by side."""

    def address(self, receiver: Receiver) -> str:
        """Where this receiver is reached. PermanentDeliveryError if it has no such address."""
        ...

    def send(self, outbound: Outbound) -> str:
        """Send, and return the provider's reference; a DeliveryError if it did not take it.

        A message that goes in parts, each with a reference of its own, gives them all, with
        spaces between: receipts then come for each.
        """
        ...

    def close(self) -> None:
        """Let go of connections. Nothing is sent afterwards."""
        ...


def awaits_receipt(channel: Channel) -> bool:
    """Whether its provider tells later what became of what it took.

    A channel says so by an attribute `awaits_receipt`; most have none. A delivery is then `sent`
    until its receipt comes, which must give the same `provider` and the reference that `send`
    returned (at most 255 octets). Read after `send` as `provider` is.
    """
    return bool(getattr(channel, "awaits_receipt", False))
