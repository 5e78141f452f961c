"""An SMSC that is slow, rude, broken or gone: nothing is lost, nothing hangs."""

import struct
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from channels.base import Channel
from channels.errors import OutcomeUnknown, Throttled
from channels.health.provider import Care, cared_for
from channels.smpp.pdu import Command, Pdu
from channels.testing import addressed, environment
from communication.errors import PermanentDeliveryError, TransientDeliveryError
from tests.providers import identity
from tests.scripted_smsc import Peer, Smsc
from tests.smpp_channels import Opened, failure, opened, smsc, url
from tests.waiting import wait_until

__all__ = ["opened", "smsc"]


def works(channel: Channel, **changes: object) -> bool:
    try:
        return bool(channel.send(addressed(channel, **changes)))
    except TransientDeliveryError:
        return False


def test_no_answer_is_an_unknown_outcome_in_time(smsc: Smsc, opened: Opened) -> None:
    smsc.on_submit = lambda _peer, _pdu: None
    channel = opened(url(smsc, "?timeout=10s&window=1"), send_timeout=0.8)
    for _ in range(3):  # the room in the window comes back
        error = failure(channel)
        assert isinstance(error, OutcomeUnknown)
        assert error.reason == "it may have been taken: no answer within 0.6 s"


def test_an_answer_that_comes_too_late_does_no_harm(smsc: Smsc, opened: Opened) -> None:
    late: list[tuple[Peer, Pdu]] = []
    smsc.on_submit = lambda peer, pdu: late.append((peer, pdu))
    channel = opened(url(smsc, "?timeout=1s"))
    assert isinstance(failure(channel, text="late"), OutcomeUnknown)
    smsc.on_submit = None
    with capture_logs() as logs:
        smsc.accept(*late[0])
        assert channel.send(addressed(channel, text="next")) == "00000002"
    assert any("nothing that is outstanding" in line["event"] for line in logs)


_CUT_OFF = b"\0\0\0\x19\x80\0\0\x04\0\0\0\0\0\0"


@pytest.mark.parametrize("said", [b"", _CUT_OFF], ids=["between PDUs", "amid a PDU"])
def test_a_connection_lost_before_the_answer_is_an_unknown_outcome(
    smsc: Smsc, opened: Opened, said: bytes
) -> None:
    def hang_up(peer: Peer, _pdu: Pdu) -> None:
        peer.send_octets(said)
        peer.hang_up()

    smsc.on_submit = hang_up
    channel = opened(url(smsc))
    error = failure(channel)
    assert isinstance(error, OutcomeUnknown)
    assert "may have been taken" in error.reason
    smsc.on_submit = None
    wait_until(lambda: works(channel))
    assert smsc.connections == 2


def test_all_that_is_outstanding_is_told_when_the_connection_is_lost(
    smsc: Smsc, opened: Opened
) -> None:
    received = threading.Semaphore(0)
    smsc.on_submit = lambda _peer, _pdu: received.release()
    channel = opened(url(smsc, "?window=20"))
    with ThreadPoolExecutor(20) as pool:
        sending = [pool.submit(failure, channel, text=str(number)) for number in range(20)]
        for _ in range(20):
            assert received.acquire(timeout=60)
        smsc.peers[0].hang_up()
        errors = [one.result() for one in sending]
    assert all(isinstance(one, OutcomeUnknown) for one in errors)
    assert [getattr(one, "shared", None) for one in errors].count(False) == 1


@pytest.mark.parametrize(
    "garbage",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        struct.pack(">IIII", 15, 0x80000004, 0, 1),
        struct.pack(">IIII", 0, 0, 0, 0),
        struct.pack(">IIII", 0xFFFFFFFF, 5, 0, 1),
        b"\xff" * 64,
    ],
    ids=range(5),
)
def test_garbage_ends_the_session_and_a_new_one_is_bound(
    smsc: Smsc, opened: Opened, garbage: bytes
) -> None:
    smsc.on_submit = lambda peer, _pdu: peer.send_octets(garbage)
    channel = opened(url(smsc))
    assert isinstance(failure(channel), OutcomeUnknown)
    smsc.on_submit = None
    wait_until(lambda: works(channel))
    assert smsc.connections == 2
    wait_until(lambda: smsc.commands[Command.GENERIC_NACK] == 1)


def test_unknown_commands_and_wrong_sequence_numbers_change_nothing(
    smsc: Smsc, opened: Opened
) -> None:
    def chatter(peer: Peer, pdu: Pdu) -> None:
        peer.send(Pdu(Command.SUBMIT_SM.response, pdu.sequence + 1000, body=b"wrong\0"))
        peer.send(Pdu(Command.SUBMIT_SM.response, 0, 0x0B))
        peer.send(Pdu(0x7777, 5))
        peer.send(Pdu(0x80007777, pdu.sequence))
        peer.send(Pdu(Command.ALERT_NOTIFICATION, 6))
        peer.send(Pdu(Command.GENERIC_NACK, 0, 3))
        smsc.accept(peer, pdu)

    smsc.on_submit = chatter
    channel = opened(url(smsc))
    assert channel.send(addressed(channel)) == "00000001"
    wait_until(lambda: smsc.answer_to(5))
    assert smsc.answer_to(5) == Pdu(Command.GENERIC_NACK, 5, 0x03)
    assert smsc.connections == 1


def test_a_generic_nack_answers_the_submit_that_it_names(smsc: Smsc, opened: Opened) -> None:
    smsc.on_submit = lambda peer, pdu: peer.send(Pdu(Command.GENERIC_NACK, pdu.sequence, 0x02))
    assert "ESME_RINVCMDLEN" in failure(opened(url(smsc))).reason


def test_answers_may_come_in_any_order(smsc: Smsc, opened: Opened) -> None:
    waiting: list[tuple[Peer, Pdu]] = []
    smsc.on_submit = lambda peer, pdu: waiting.append((peer, pdu))
    channel = opened(url(smsc))
    with ThreadPoolExecutor(10) as pool:
        sending = {n: pool.submit(channel.send, addressed(channel, text=f"{n}")) for n in range(10)}
        wait_until(lambda: len(waiting) == 10)
        texts = {smsc.accept(*one): smsc.submits[i].message for i, one in enumerate(waiting)}
        for number, one in sending.items():
            assert texts[one.result()] == str(number).encode()


def test_an_smsc_that_unbinds_is_bound_again(smsc: Smsc, opened: Opened) -> None:
    channel = opened(url(smsc))
    channel.send(addressed(channel))
    sequence = smsc.peers[0].ask(Command.UNBIND)
    wait_until(lambda: smsc.answer_to(sequence))
    wait_until(lambda: works(channel))
    assert smsc.connections == 2


def test_an_smsc_that_unbinds_may_still_answer_what_is_outstanding(
    smsc: Smsc, opened: Opened
) -> None:
    def unbind_first(peer: Peer, pdu: Pdu) -> None:
        peer.ask(Command.UNBIND)
        smsc.accept(peer, pdu)

    smsc.on_submit = unbind_first
    channel = opened(url(smsc))
    assert channel.send(addressed(channel)) == "00000001"


def test_signs_of_life_go_both_ways(smsc: Smsc, opened: Opened) -> None:
    opened(url(smsc, "?enquire=50ms"))
    wait_until(lambda: smsc.commands[Command.ENQUIRE_LINK] >= 3)
    sequence = smsc.peers[0].ask(Command.ENQUIRE_LINK)
    wait_until(lambda: smsc.answer_to(sequence))
    assert smsc.connections == 1


def test_an_smsc_without_a_sign_of_life_is_left(smsc: Smsc, opened: Opened) -> None:
    smsc.on_enquire = lambda _peer, _pdu: None
    smsc.on_submit = lambda _peer, _pdu: None
    channel = opened(url(smsc, "?enquire=50ms&timeout=1s"))
    assert isinstance(failure(channel), OutcomeUnknown)
    smsc.on_enquire = smsc.on_submit = None
    wait_until(lambda: smsc.connections >= 2)
    wait_until(lambda: works(channel))


def test_after_a_session_that_was_of_no_use_the_next_begins_with_one_submit(
    smsc: Smsc, opened: Opened
) -> None:
    smsc.on_submit = lambda peer, _pdu: peer.hang_up()
    channel = opened(url(smsc, "?window=10"))
    assert isinstance(failure(channel), OutcomeUnknown)
    held: list[tuple[Peer, Pdu]] = []
    smsc.on_submit = lambda peer, pdu: held.append((peer, pdu))

    with ThreadPoolExecutor(5) as pool:
        results = [pool.submit(works, channel) for _ in range(5)]
        wait_until(lambda: held)
        with pytest.raises(AssertionError):
            wait_until(lambda: len(held) > 1, within=0.3)
        smsc.on_submit = None
        smsc.accept(*held[0])

        assert [one.result() for one in results] == [True] * 5


def test_a_busy_smsc_is_asked_less(smsc: Smsc, opened: Opened, tmp_path: Path) -> None:
    def ten_at_most(peer: Peer, pdu: Pdu) -> None:
        if len(smsc.submits) > 10:
            peer.send(pdu.answer(0x58))
        else:
            smsc.accept(peer, pdu)

    smsc.on_submit = ten_at_most
    bare = opened(url(smsc, "?window=10"))
    channel = cared_for(bare, Care(), environment(tmp_path, "sms"), identity(bare.provider))
    with ThreadPoolExecutor(10) as pool:
        worked = list(pool.map(lambda _: works(channel, priority=0), range(400)))
    assert sum(worked) == 10
    # Those that were under way when it first refused, and some at the pace that it bore before.
    assert 10 < len(smsc.submits) < 200
    smsc.refuse(0x14)
    error = failure(bare)
    assert isinstance(error, Throttled)
    assert error.retry_after == 5


def test_one_refused_part_refuses_the_whole(smsc: Smsc, opened: Opened) -> None:
    statuses = iter([0, 0x0B, 0x08])
    smsc.on_submit = lambda peer, pdu: peer.send(pdu.answer(next(statuses)))
    channel = opened(url(smsc))
    assert isinstance(failure(channel, text="x" * 400), PermanentDeliveryError)
    statuses = iter([0, 0x08, 0])
    error = failure(channel, text="x" * 400)
    assert isinstance(error, TransientDeliveryError)
    assert "ESME_RSYSERR" in error.reason
