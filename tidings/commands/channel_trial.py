"""One message through one channel, to see what comes of it."""

import re
import time
from collections.abc import Collection, Sequence
from concurrent.futures import Future
from contextlib import closing, suppress
from queue import Empty, SimpleQueue

from channels.base import Channel, Device, Outbound, Receiver, awaits_receipt
from communication.devices.registry import list_devices
from communication.errors import (
    DeliveryError,
    PermanentDeliveryError,
    ServiceUnavailable,
    SettingsError,
    TidingsError,
)
from communication.ids import delivery_id, new_id
from communication.receipts.parts import references_of
from communication.receipts.receipt import Receipt
from communication.settings import Settings, redacted
from communication.wire.phone import phone_number
from tidings.database import open_database
from worker.jobs import device_of
from worker.main import open_medium

SUBJECT = "A test message"
TEXT = "Tidings sent this to see whether messages arrive. There is nothing to do."
_PHONE = re.compile(r"\+?[\d\s().\-/]+")

_Heard = tuple[Receipt, "Future[None]"]


class TrialFailed(TidingsError):
    """The message was not taken; the text says why."""


def medium_of(address: str) -> str:
    """What an address looks like: an email address, a phone number, else an app user's id."""
    if "@" in address:
        return "email"
    return "sms" if _PHONE.fullmatch(address) else "push"


class Trial:
    """A channel for one message. `url`: None for what the settings name for the medium."""

    def __init__(self, settings: Settings, url: str | None, medium: str, *, tenant: str) -> None:
        self._settings = settings
        self._medium = medium
        self._tenant = tenant
        self._name = redacted(url or settings.channel_url(medium))
        self._receipts: SimpleQueue[_Heard] = SimpleQueue()
        self._channel = self._open(url)

    def _open(self, url: str | None) -> Channel:
        try:
            return open_medium(
                self._settings, self._medium, urls=url, on_receipt=self._keep_receipt
            )
        except SettingsError as error:
            setting = f"TIDINGS_{self._medium.upper()}_URL: "
            told = str(error).replace(setting, "URL: ") if url else str(error)
            raise SettingsError(told) from error

    def send(self, address: str, *, wait: float) -> str:
        """Send it, wait so many seconds for its receipt, and tell. TrialFailed if it went wrong."""
        try:
            return self._send(address, wait)
        except PermanentDeliveryError as error:
            raise TrialFailed(f"{self._provider()} refuses it for good: {error.reason}") from error
        except DeliveryError as error:
            message = f"{self._provider()} did not take it, which may pass: {error.reason}"
            raise TrialFailed(message) from error
        finally:
            self._channel.close()

    def _send(self, address: str, wait: float) -> str:
        receiver = self._receiver(address)
        outbound = Outbound(
            delivery_id=delivery_id(new_id(), 1, 0),
            address=self._channel.address(receiver),
            subject=SUBJECT,
            text=TEXT,
            devices=receiver.devices,
        )
        began = time.perf_counter()
        reference = self._channel.send(outbound)
        took = (time.perf_counter() - began) * 1000
        told = f"{self._provider()} took it in {took:.0f} ms; its reference is {reference}."
        if not awaits_receipt(self._channel):
            return told
        receipt = self._receipt(references_of(reference), wait)
        return f"{told} " + (
            f"Its receipt: {receipt.text}." if receipt else f"No receipt came in {wait:g} s."
        )

    def _receipt(self, own: Collection[str], wait: float) -> Receipt | None:
        """The final one; the last of the others where none comes in time."""
        until = time.monotonic() + wait
        receipt = None
        with suppress(Empty):
            while receipt is None or receipt.end is None:
                heard, taken = self._receipts.get(timeout=max(0.0, until - time.monotonic()))
                if heard.reference in own:
                    receipt = heard
                    taken.set_result(None)
                else:
                    # A worker's: the provider is to tell it again, not to take it for heard.
                    taken.set_exception(TrialFailed("it is of another message"))
        return receipt

    def _keep_receipt(self, receipt: Receipt) -> "Future[None]":
        taken: Future[None] = Future()
        self._receipts.put((receipt, taken))
        return taken

    def _provider(self) -> str:
        return self._channel.provider or self._name

    def _receiver(self, address: str) -> Receiver:
        if self._medium == "email":
            return Receiver(email=address)
        if self._medium == "push":
            return Receiver(app_user_id=address, devices=tuple(self._devices(address)))
        try:
            return Receiver(phone=phone_number(address, self._settings.phone_region))
        except ValueError as error:
            raise SettingsError(f"--to: {error}") from error

    def _devices(self, app_user_id: str) -> Sequence[Device]:
        """None where there is no registry yet: some channels need none."""
        try:
            with closing(open_database(self._settings)) as store, store.read() as connection:
                rows = list_devices(connection, self._tenant, app_user_id)
        except (ServiceUnavailable, SettingsError):
            return ()
        return [device_of(row) for row in rows]
