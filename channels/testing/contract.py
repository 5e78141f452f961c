"""What every channel promises, whatever it sends through."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from channels.base import Attachment, Channel, Environment, Outbound, Receiver, Sender
from communication.errors import DeliveryError, PermanentDeliveryError

RECEIVER = Receiver(
    name="Åsa Öberg", email="asa@example.org", phone="+46701234567", app_user_id="device-1"
)
SENDER = Sender(name="Tidings", email="tidings@example.com")


def environment(outbox: Path, medium: str = "email", send_timeout: float = 30.0) -> Environment:
    """One for tests; `outbox` is a folder of the test's own."""
    return Environment(
        medium=medium, outbox=outbox, default_sender=SENDER, send_timeout=send_timeout
    )


def outbound(**changes: Any) -> Outbound:
    """A small message with text, HTML and an attachment, but for what is changed."""
    usual = Outbound(
        delivery_id="0192f0c1-7a5e-7b44-9d10-3c4d5e6f7a8b-1-0",
        address="asa@example.org",
        receiver_name="Åsa Öberg",
        subject="Din beställning",
        text="Hej!\nDin beställning är på väg.\n",
        html="<p>Hej!</p><p>Din beställning är på väg.</p>",
        attachments=(Attachment(name="a.txt", mime_type="text/plain", content=b"one\n"),),
    )
    return replace(usual, **changes)


def addressed(channel: Channel, **changes: Any) -> Outbound:
    """The same to where this channel reaches the receiver."""
    return outbound(**({"address": channel.address(RECEIVER)} | changes))


ODD_IDS = [".", "..", "../../etc/passwd", "a/b", "a\0b", "a\r\nb", "å" * 300, " ", "CON", "-rf", ""]


class ChannelContract:
    """Inherit it, and give it a `channel` fixture."""

    def test_it_has_a_name_and_a_width(self, channel: Channel) -> None:
        assert "://" in channel.provider
        assert channel.concurrency >= 1

    def test_a_receiver_has_an_address(self, channel: Channel) -> None:
        assert channel.address(RECEIVER)

    def test_a_receiver_without_an_address_is_refused_for_good(self, channel: Channel) -> None:
        with pytest.raises(PermanentDeliveryError, match="the receiver has no"):
            channel.address(Receiver(name="Nobody"))

    def test_a_message_is_answered_by_a_reference(self, channel: Channel) -> None:
        reference = channel.send(addressed(channel))
        assert isinstance(reference, str)
        assert reference

    def test_a_message_can_be_sent_again(self, channel: Channel) -> None:
        """By the reference of the first time, or by a new one, as the provider has it."""
        assert channel.send(addressed(channel))
        assert channel.send(addressed(channel))

    @pytest.mark.parametrize("delivery_id", ODD_IDS, ids=range(len(ODD_IDS)))
    def test_any_delivery_id_will_do(self, channel: Channel, delivery_id: str) -> None:
        assert channel.send(addressed(channel, delivery_id=delivery_id))

    def test_odd_messages_raise_nothing_but_delivery_errors(self, channel: Channel) -> None:
        for changes in (
            {"subject": None, "text": "", "html": None, "attachments": ()},
            {"subject": "a\r\nBcc: b@example.org", "receiver_name": "\0"},
            {"text": "\0\x1b[31m\u2028", "html": "<<<"},
            {"address": "no address"},
            {"sender": Sender(name="\n", email="nobody")},
        ):
            with suppress(DeliveryError):
                assert channel.send(addressed(channel, **changes))

    def test_threads_share_it(self, channel: Channel) -> None:
        messages = [addressed(channel, delivery_id=f"id-{number}") for number in range(100)]
        with ThreadPoolExecutor(channel.concurrency * 2) as pool:
            assert all(pool.map(channel.send, messages))

    def test_closing_it_twice_and_from_several_threads_does_no_harm(self, channel: Channel) -> None:
        channel.send(addressed(channel))
        with ThreadPoolExecutor(4) as pool:
            for closing in [pool.submit(channel.close) for _ in range(8)]:
                closing.result()
        channel.close()
