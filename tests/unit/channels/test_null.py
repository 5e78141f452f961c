import time

import pytest

from channels.null import NullChannel
from channels.testing import outbound
from communication.errors import DeliveryError, PermanentDeliveryError, TransientDeliveryError


def outcomes(channel: NullChannel, count: int) -> list[str]:
    return [_outcome(channel, f"0192f0c1-7a5e-7b44-9d10-3c4d5e6f7a8b-1-{n}") for n in range(count)]


def _outcome(channel: NullChannel, delivery_id: str) -> str:
    try:
        return channel.send(outbound(delivery_id=delivery_id))
    except DeliveryError as error:
        return type(error).__name__


def test_it_takes_as_long_as_it_is_told_to() -> None:
    began = time.monotonic()
    NullChannel("sms", latency=0.05).send(outbound())
    assert 0.05 <= time.monotonic() - began < 30


def test_permanent_failures_are_the_same_deliveries_in_every_run() -> None:
    first = outcomes(NullChannel("sms", permanent=0.1), 5000)
    assert first == outcomes(NullChannel("sms", permanent=0.1), 5000)
    assert 400 < first.count(PermanentDeliveryError.__name__) < 600


def test_transient_failures_are_drawn_anew_so_that_a_repeat_may_succeed() -> None:
    channel = NullChannel("sms", fail=0.5)
    answers = [_outcome(channel, "the-same") for _ in range(200)]
    assert 50 < answers.count(TransientDeliveryError.__name__) < 150


@pytest.mark.parametrize(
    ("options", "error"),
    [({"fail": 1.0}, TransientDeliveryError), ({"permanent": 1.0}, PermanentDeliveryError)],
)
def test_it_can_fail_always(options: dict[str, float], error: type[DeliveryError]) -> None:
    assert set(outcomes(NullChannel("sms", **options), 100)) == {error.__name__}  # type: ignore[arg-type]  # floats, all of them
