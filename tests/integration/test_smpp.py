"""Sending through an SMSC that behaves; tests/faults has those that do not."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from channels.base import Channel, Sender
from channels.errors import ConfigurationFault, Throttled
from channels.smpp.pdu import Command, Pdu
from channels.testing import ChannelContract, addressed
from communication.errors import PermanentDeliveryError, SettingsError, TransientDeliveryError
from tests.scripted_smsc import Peer, Smsc
from tests.smpp_channels import Opened, opened, smsc, url
from tests.waiting import wait_until

__all__ = ["opened", "smsc"]

LONG = "Din beställning är på väg. " * 10
WIDE = "Заказ в пути 😀 " * 10


class TestContract(ChannelContract):
    @pytest.fixture
    def channel(self, smsc: Smsc, opened: Opened) -> Channel:
        return opened(url(smsc, "?window=10"))


def test_it_binds_once_as_transceiver_and_is_answered_by_the_message_id(
    smsc: Smsc, opened: Opened
) -> None:
    channel = opened(url(smsc, "?system_type=VMA"))
    assert channel.send(addressed(channel, delivery_id="a", text="Hej")) == "00000001"
    assert channel.send(addressed(channel, delivery_id="b", text="Hej då")) == "00000002"
    (bind,) = smsc.binds
    assert bind == (Command.BIND_TRANSCEIVER, [b"tidings", b"secret", b"VMA", b"4", b"", b"", b""])


def test_an_ordinary_text_is_gsm_7_and_asks_for_a_receipt(smsc: Smsc, opened: Opened) -> None:
    channel = opened(url(smsc, "?validity=36h&service_type=CMT"))
    channel.send(addressed(channel, text="Pris: 10 € {nu}"))
    (submit,) = smsc.submits
    assert submit.message == b"Pris: 10 \x1be \x1b(nu\x1b)"
    assert (submit.data_coding, submit.esm_class, submit.registered_delivery) == (0, 0, 1)
    assert submit.destination == (1, 1, b"46701234567")
    assert (submit.validity, submit.service_type) == (b"000001120000000R", b"CMT")


def test_another_alphabet_is_ucs_2(smsc: Smsc, opened: Opened) -> None:
    channel = opened(url(smsc))
    channel.send(addressed(channel, text="Ж😀"))
    (submit,) = smsc.submits
    assert (submit.data_coding, submit.message) == (8, "Ж😀".encode("utf-16-be"))


@pytest.mark.parametrize(
    ("long", "header", "text", "coding"),
    [
        ("udh", 6, LONG, "ascii"),
        ("udh", 6, WIDE, "utf-16-be"),
        ("udh16", 7, LONG, "ascii"),
        ("udh16", 7, WIDE, "utf-16-be"),
        ("sar", 0, WIDE, "utf-16-be"),
    ],
)
def test_a_long_text_goes_out_in_parts_that_are_joined(
    smsc: Smsc, opened: Opened, long: str, header: int, text: str, coding: str
) -> None:
    channel = opened(url(smsc, f"?long={long}"))
    reference = channel.send(addressed(channel, text=text.replace("ä", "a").replace("å", "a")))
    parts = smsc.submits
    assert len(parts) == len(reference.split()) >= 2
    if header:
        headers = [one.message[:header] for one in parts]
        assert all(one.esm_class == 0x40 for one in parts)
        assert len({one[:-1] for one in headers}) == 1
        assert [one[-2:] for one in headers] == [
            bytes((len(parts), n + 1)) for n in range(len(parts))
        ]
        assert headers[0][0] == header - 1
        assert all(len(one.message) - header <= 153 for one in parts)
    else:
        assert [one.tlvs[0x020F][0] for one in parts] == list(range(1, len(parts) + 1))
        assert {one.tlvs[0x020E][0] for one in parts} == {len(parts)}
        assert len({one.tlvs[0x020C] for one in parts}) == 1
    whole = b"".join(one.message[header:] for one in parts).decode(coding)
    assert whole == text.replace("ä", "a").replace("å", "a")


def test_a_long_text_goes_out_whole_where_the_smsc_parts_it(smsc: Smsc, opened: Opened) -> None:
    channel = opened(url(smsc, "?long=payload"))
    channel.send(addressed(channel, text="x" * 1000))
    (submit,) = smsc.submits
    assert (submit.message, submit.tlvs[0x0424]) == (b"", b"x" * 1000)


def test_a_repeat_says_the_same(smsc: Smsc, opened: Opened) -> None:
    channel = opened(url(smsc))
    first = channel.send(addressed(channel, text=LONG))
    assert channel.send(addressed(channel, text=LONG)) == first
    half = len(smsc.submits) // 2
    assert smsc.submits[:half] == smsc.submits[half:]


@pytest.mark.parametrize(
    ("sender", "query", "expected"),
    [
        (Sender(), "", (0, 0, b"")),
        (Sender(phone="+46 70-123 45 67"), "", (1, 1, b"46701234567")),
        (Sender(phone="0046701234567"), "", (1, 1, b"46701234567")),
        (Sender(phone="72100", name="Tidings"), "", (3, 0, b"72100")),
        (Sender(name="Tidings"), "", (5, 0, b"Tidings")),
        (Sender(name="A name that is too long"), "?source=72100", (3, 0, b"72100")),
        (Sender(name="Åsa"), "?source=Tidings", (5, 0, b"Tidings")),
        (Sender(phone="72200"), "?source=72100&only_source=yes", (3, 0, b"72100")),
        (Sender(phone="72100"), "?source_ton=6&source_npi=9", (6, 9, b"72100")),
    ],
    ids=str,
)
def test_the_senders_shape_gives_its_type(
    smsc: Smsc, opened: Opened, sender: Sender, query: str, expected: tuple[int, int, bytes]
) -> None:
    channel = opened(url(smsc, query))
    channel.send(addressed(channel, sender=sender))
    assert smsc.submits[0].source == expected


@pytest.mark.parametrize(
    ("phone", "query", "expected"),
    [
        ("+1 (212) 555-0100", "", (1, 1, b"12125550100")),
        ("0701234567", "", (0, 1, b"0701234567")),
        ("0701234567", "?dest_ton=2&dest_npi=8", (2, 8, b"0701234567")),
    ],
    ids=str,
)
def test_the_receivers_shape_gives_its_type(
    smsc: Smsc, opened: Opened, phone: str, query: str, expected: tuple[int, int, bytes]
) -> None:
    channel = opened(url(smsc, query))
    channel.send(addressed(channel, address=phone))
    assert smsc.submits[0].destination == expected


@pytest.mark.parametrize(
    "phone", ["nobody", "+46x", "1" * 21, "+", "\uff14\uff16\uff17\uff10\uff11"], ids=str
)
def test_what_is_no_number_is_refused_for_good(smsc: Smsc, opened: Opened, phone: str) -> None:
    channel = opened(url(smsc))
    with pytest.raises(PermanentDeliveryError, match="phone number is not valid"):
        channel.send(addressed(channel, address=phone))
    assert not smsc.submits


def test_a_vendors_parameter_carries_the_delivery_id(smsc: Smsc, opened: Opened) -> None:
    channel = opened(url(smsc, "?reference_tag=0x1401"))
    channel.send(addressed(channel, delivery_id="id-1-0"))
    assert smsc.submits[0].tlvs == {0x1401: b"id-1-0.1\0"}


def test_a_pair_sends_on_one_session_and_hears_on_another(smsc: Smsc, opened: Opened) -> None:
    channel = opened(url(smsc, "?bind=pair"))
    channel.send(addressed(channel))
    wait_until(lambda: len(smsc.binds) == 2)
    assert {one for one, _ in smsc.binds} == {Command.BIND_TRANSMITTER, Command.BIND_RECEIVER}


def test_without_receipts_none_are_asked_for(smsc: Smsc, opened: Opened) -> None:
    channel = opened(url(smsc, "?receipts=no"))
    channel.send(addressed(channel))
    assert smsc.submits[0].registered_delivery == 0
    assert smsc.binds[0][0] is Command.BIND_TRANSMITTER
    assert not channel.awaits_receipt  # type: ignore[attr-defined]  # of those that await some


def test_sends_are_pipelined_over_one_session(smsc: Smsc, opened: Opened) -> None:
    waiting: list[tuple[Peer, Pdu]] = []

    def answer_together(peer: Peer, pdu: Pdu) -> None:
        waiting.append((peer, pdu))
        if len(waiting) == channel.concurrency:
            while waiting:
                smsc.accept(*waiting.pop())

    smsc.on_submit = answer_together
    channel = opened(url(smsc))
    count = 5 * channel.concurrency
    messages = [addressed(channel, text=str(number)) for number in range(count)]
    with ThreadPoolExecutor(channel.concurrency) as pool:
        references = list(pool.map(channel.send, messages))
    assert len(set(references)) == count
    assert channel.concurrency >= 8
    assert smsc.connections == 1


def test_the_window_is_never_exceeded(smsc: Smsc, opened: Opened) -> None:
    waiting: list[tuple[Peer, Pdu]] = []
    smsc.on_submit = lambda peer, pdu: waiting.append((peer, pdu))
    channel = opened(url(smsc, "?window=3&sessions=2"))
    assert channel.concurrency == 6
    wait_until(lambda: len(smsc.peers) == 2)
    with ThreadPoolExecutor(20) as pool:
        sending = [pool.submit(channel.send, addressed(channel, text=str(n))) for n in range(20)]
        wait_until(lambda: len(waiting) == 6)
        for _ in range(20):
            wait_until(lambda: bool(waiting))
            assert max(Counter(peer for peer, _ in waiting).values()) <= 3
            smsc.accept(*waiting.pop(0))
        assert len({one.result() for one in sending}) == 20


def test_a_closed_channel_has_unbound_and_sends_nothing(smsc: Smsc, opened: Opened) -> None:
    channel = opened(url(smsc))
    channel.send(addressed(channel))
    channel.close()
    assert smsc.commands[Command.UNBIND] == 1
    with pytest.raises(TransientDeliveryError, match="closed"):
        channel.send(addressed(channel))


@pytest.mark.parametrize(
    ("status", "error", "reason"),
    [
        (0x0B, PermanentDeliveryError, "0x0000000B ESME_RINVDSTADR: the receiver's number"),
        (0x58, Throttled, "0x00000058 ESME_RTHROTTLED: more messages"),
        (0x14, Throttled, "0x00000014 ESME_RMSGQFUL: the message queue"),
        (0x62, ConfigurationFault, "ESME_RINVEXPIRY"),
        (0x0401, TransientDeliveryError, "0x00000401 an SMSC's own status"),
        (0x0410, PermanentDeliveryError, "0x00000410"),
        (0x0A, TransientDeliveryError, "ESME_RINVSRCADR"),
    ],
    ids=str,
)
def test_a_refusal_is_what_its_status_means(
    smsc: Smsc, opened: Opened, status: int, error: type[Exception], reason: str
) -> None:
    smsc.refuse(status)
    channel = opened(url(smsc, "?permanent=0x410+1041&transient=0x0A"))
    with pytest.raises(error, match=reason) as caught:
        channel.send(addressed(channel))
    assert type(caught.value) is error


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("?window=0", "window=0"),
        ("?window=500&sessions=3", "window times sessions"),
        ("?long=short", "must be one of udh, udh16, sar, payload"),
        ("?ids=hex", "ids=hex"),
        ("?validity=31d", "at most 30d"),
        ("?bind=transmitter&receipts=yes", "receipts=yes needs"),
        ("?source=not+a+sender+at+all", "a short code or a name"),
        ("?permanent=abc", "permanent=abc"),
        ("?permanent=1&transient=1", "both permanent and transient"),
        ("?reference_tag=0x204", "vendor's tag"),
        ("?source_ton=256", "0 to 255"),
        ("?zone=Atlantis", "time zone"),
        ("?nonsense=1", "unknown parameter"),
        ("/path", "takes no path"),
    ],
)
def test_a_wrong_url_is_refused_at_the_start(
    smsc: Smsc, opened: Opened, query: str, reason: str
) -> None:
    with pytest.raises(SettingsError, match=f"TIDINGS_SMS_URL: smpp://: .*{reason}"):
        opened(url(smsc, query))
    assert smsc.connections == 0


def test_a_login_is_needed(opened: Opened) -> None:
    with pytest.raises(SettingsError, match="a login is needed"):
        opened("smpp://127.0.0.1")
