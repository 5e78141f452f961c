"""An SMSC that can't be reached, does not let us in, or is not whom it should be."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from structlog.testing import capture_logs

from channels.errors import ConfigurationFault
from channels.smpp.pdu import Pdu
from channels.testing import addressed
from communication.errors import TransientDeliveryError
from tests.authority import Authority
from tests.processes import free_port
from tests.scripted_smsc import Peer, Smsc, running_smsc
from tests.smpp_channels import Opened, failure, opened, smsc, url
from tests.waiting import wait_until

__all__ = ["opened", "smsc"]


def test_nobody_there_fails_at_once_and_is_found_later(opened: Opened) -> None:
    port = free_port()
    channel = opened(f"smpp://u:p@127.0.0.1:{port}")
    began = time.monotonic()
    for _ in range(50):
        assert "can't connect" in failure(channel).reason
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (0x0E, ConfigurationFault),
        (0x0D, ConfigurationFault),
        (0x0B, ConfigurationFault),
        (0x08, TransientDeliveryError),
        (0x05, TransientDeliveryError),
    ],
)
def test_a_refused_bind_ends_no_message(
    smsc: Smsc, opened: Opened, status: int, kind: type[Exception]
) -> None:
    smsc.on_bind = lambda peer, pdu: peer.send(pdu.answer(status))
    with capture_logs() as logs:
        channel = opened(url(smsc))
        error = failure(channel)
    assert type(error) is kind
    assert "can't bind" in error.reason
    assert "secret" not in error.reason + str(logs)


def test_a_wrong_password_is_not_tried_again_and_again(smsc: Smsc, opened: Opened) -> None:
    smsc.on_bind = lambda peer, pdu: peer.send(pdu.answer(0x0E))
    channel = opened(url(smsc))
    failure(channel)
    with pytest.raises(AssertionError):
        wait_until(lambda: smsc.connections > 1, within=1.0)


def test_an_smsc_that_accepts_connections_and_says_nothing(smsc: Smsc, opened: Opened) -> None:
    smsc.on_bind = lambda _peer, _pdu: None
    channel = opened(url(smsc, "?timeout=1s"))
    assert "can't bind: timed out" in failure(channel).reason


def test_one_that_reads_nothing_more_does_not_hold_senders_for_ever(
    smsc: Smsc, opened: Opened
) -> None:
    moves_again = threading.Event()

    def stand_still(_peer: Peer, _pdu: Pdu) -> None:
        moves_again.wait(120)

    smsc.on_submit = stand_still
    channel = opened(url(smsc, "?timeout=300ms&window=50&long=payload"), send_timeout=1.0)
    with ThreadPoolExecutor(50) as pool:
        sending = [pool.submit(failure, channel, text="x" * 60_000) for _ in range(50)]
        try:
            assert all(isinstance(one.result(60), TransientDeliveryError) for one in sending)
        finally:
            moves_again.set()


def test_closing_does_not_wait_for_an_smsc_that_is_dead(smsc: Smsc, opened: Opened) -> None:
    smsc.on_unbind = lambda _peer, _pdu: None
    channel = opened(url(smsc))
    channel.send(addressed(channel))
    began = time.monotonic()
    channel.close()
    assert time.monotonic() - began < 20


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.make(tmp_path_factory.mktemp("authority"))


def test_tls_is_spoken_to_those_whom_the_authority_vouches_for(
    authority: Authority, opened: Opened
) -> None:
    with running_smsc(authority.context) as smsc:
        channel = opened(url(smsc, f"?cafile={authority.cafile}", scheme="smpps"))
        with ThreadPoolExecutor(20) as pool:
            texts = [addressed(channel, text=str(number) * 50) for number in range(200)]
            assert len(set(pool.map(channel.send, texts))) == 200
        channel.close()


def test_a_wrong_certificate_is_refused_before_the_login(
    authority: Authority, opened: Opened
) -> None:
    with running_smsc(authority.context) as smsc:
        error = failure(opened(url(smsc, scheme="smpps")))
        assert isinstance(error, ConfigurationFault)
        assert "certificate is not valid" in error.reason
        assert not smsc.binds
        channel = opened(url(smsc, "?verify=no", scheme="smpps"))
        assert channel.send(addressed(channel))
        channel.close()


def test_tls_to_an_smsc_without_it_is_transient(smsc: Smsc, opened: Opened) -> None:
    error = failure(opened(url(smsc, "?timeout=1s", scheme="smpps")))
    assert isinstance(error, TransientDeliveryError)
    assert "can't connect" in error.reason
