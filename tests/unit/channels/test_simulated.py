import pytest

from channels.base import Outbound, Receiver
from channels.null import NullChannel
from channels.simulated import Fate, Simulating, fate_of
from channels.testing import ChannelContract, outbound
from communication.errors import PermanentDeliveryError, TransientDeliveryError
from communication.wire.phone import phone_number

MEDIA = ("email", "sms", "push")


@pytest.mark.parametrize(
    ("address", "fate"),
    [
        ("simulate-delivered@notifications.service.gov.uk", Fate.DELIVERED),
        ("simulate-delivered-2@notifications.service.gov.uk", Fate.DELIVERED),
        ("Simulate-Delivered-3@notifications.service.gov.uk", Fate.DELIVERED),
        ("perm-fail@simulator.notify", Fate.PERMANENT_FAILURE),
        ("temp-fail@simulator.notify", Fate.TEMPORARY_FAILURE),
        ("delivered@simulator.test", Fate.DELIVERED),
        ("delivered+4711@Simulator.test", Fate.DELIVERED),
        ("perm-fail@simulator.test", Fate.PERMANENT_FAILURE),
        ("temp-fail+a+b@simulator.test", Fate.TEMPORARY_FAILURE),
        (phone_number("07700900000"), Fate.DELIVERED),
        (phone_number("07700 900111"), Fate.DELIVERED),
        (phone_number("+44 7700 900222"), Fate.DELIVERED),
        (phone_number("07700900002"), Fate.PERMANENT_FAILURE),
        (phone_number("00447700900003"), Fate.TEMPORARY_FAILURE),
        ("+447700900004", None),
        ("ann@simulator.test", None),
        ("delivered@simulator.test.example.com", None),
        ("simulate-delivered-4@notifications.service.gov.uk", None),
        ("x-simulate-delivered@notifications.service.gov.uk", None),
        ("", None),
    ],
)
def test_fates_are_settled_by_the_address(address: str, fate: Fate | None) -> None:
    assert fate_of(address) is fate


class Unwilling:
    """A channel that nobody may ask anything."""

    provider = "unwilling://"
    concurrency = 3

    def address(self, _receiver: Receiver) -> str:
        raise AssertionError

    def send(self, _outbound: Outbound) -> str:
        raise AssertionError

    def close(self) -> None:
        self.concurrency = 0


@pytest.mark.parametrize("medium", MEDIA)
def test_no_provider_hears_of_simulated_receivers(medium: str) -> None:
    channel = Simulating(Unwilling(), medium)
    receiver = Receiver(
        email="delivered@simulator.test",
        phone="+447700900000",
        app_user_id="delivered@simulator.test",
    )
    address = channel.address(receiver)
    assert channel.send(outbound(address=address, delivery_id="a-1-0")) == "simulated-a-1-0"
    assert channel.provider == "simulated://"


def test_failures_are_of_their_kind() -> None:
    channel = Simulating(Unwilling(), "email")
    with pytest.raises(PermanentDeliveryError, match="simulated permanent failure"):
        channel.send(outbound(address="perm-fail@simulator.test"))
    with pytest.raises(TransientDeliveryError, match="simulated temporary failure"):
        channel.send(outbound(address="temp-fail@simulator.test"))
    assert channel.provider == "simulated://"


def test_the_provider_of_others_is_the_channels_own() -> None:
    channel = Simulating(NullChannel("email"), "email")
    channel.send(outbound(address="delivered@simulator.test"))
    channel.send(outbound(address="ann@example.org"))
    assert channel.provider == "null://"


class TestContract(ChannelContract):
    @pytest.fixture(params=MEDIA)
    def channel(self, request: pytest.FixtureRequest) -> Simulating:
        return Simulating(NullChannel(request.param), request.param)
