"""Channels that ask hosts which clients name, and who pays for a rest."""

from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from channels.base import Channel, Outbound
from channels.errors import ProviderRests, RateReached, Throttled
from channels.health import hosts
from channels.health.provider import AFTER_OTHERS, resting
from channels.health.rest import FIRST
from channels.health.tally import LEAST
from channels.registry import open_channel
from channels.testing import environment, outbound
from communication.errors import TransientDeliveryError
from tests.devices import subscription
from tests.providers import Provider, cared, fails, send
from tests.push_messages import device, message, write_key_files


@dataclass
class Hosts(Provider):
    """A channel whose messages each name a host."""

    provider: str = "test://"

    def host_of(self, outbound: Outbound) -> str:
        return outbound.address


def ask(channel: Channel, host: str, times: int = 1) -> list[str]:
    """The references, or the names of the errors."""
    results = []
    for _ in range(times):
        try:
            results.append(channel.send(replace(outbound(), address=host)))
        except TransientDeliveryError as error:
            results.append(type(error).__name__)
    return results


def test_a_host_that_fails_rests_and_no_other_does() -> None:
    asked = Hosts(fails)
    channel = cared(asked)

    assert ask(channel, "a.example", 100)[LEAST:] == [ProviderRests.__name__] * (100 - LEAST)

    asked.answer = lambda: "reference"
    assert ask(channel, "b.example") == ["reference"]
    assert ask(channel, "a.example") == [ProviderRests.__name__]
    assert resting(channel) == 0


def test_a_host_that_wants_fewer_is_asked_slower_and_no_other_is() -> None:
    def busy() -> str:
        raise Throttled("slower")

    asked = Hosts(busy)
    channel = cared(asked)
    assert ask(channel, "a.example", 2) == [Throttled.__name__, RateReached.__name__]

    asked.answer = lambda: "reference"
    assert ask(channel, "b.example", 50) == ["reference"] * 50


def test_hosts_that_clients_name_are_in_no_metric_and_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hosts, "MOST", 2)
    channel = cared(asked := Hosts(fails, provider="hosts://"))
    ask(channel, "a.example", LEAST)
    for other in ("b.example", "c.example"):
        ask(channel, other)

    assert len(asked.asked) == LEAST + 2
    assert ask(channel, "a.example") == ["TransientDeliveryError"]
    labels = [
        sample.labels
        for metric in REGISTRY.collect()
        if metric.name.startswith("tidings_provider")
        for sample in metric.samples
    ]
    assert not [one for one in labels if "example" in one.get("provider", "")]


def test_web_push_tells_its_hosts_apart(tmp_path: Path) -> None:
    write_key_files(tmp_path)
    url = f"webpush://{tmp_path}/p256.pem?subject=mailto:ops@example.com"
    channel = open_channel(url, environment(tmp_path, "push"))
    keys = subscription()["keys"]
    phone = device("webpush", "https://Push.example.com:8443/s/secret", keys=keys)

    host_of = getattr(channel, "host_of")  # noqa: B009 - no channel's in general

    assert host_of(message(phone)) == "push.example.com:8443"
    channel.close()


def test_what_failed_before_a_rest_comes_back_after_those_that_are_put_off() -> None:
    channel = cared(Provider(fails))
    send(channel, LEAST - 1)

    with pytest.raises(TransientDeliveryError) as failed:
        channel.send(outbound())
    with pytest.raises(ProviderRests) as put_off:
        channel.send(outbound())

    assert FIRST < (failed.value.retry_after or 0) <= FIRST + AFTER_OTHERS
    assert (put_off.value.retry_after or 0) <= FIRST
