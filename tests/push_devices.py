"""Devices of one user, and push services that do what a test says."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from channels.base import Device, Environment, Outbound, Receiver
from channels.push.to_devices import Push, open_push
from channels.testing import environment, outbound
from communication.clock import now

Answer = Callable[[Device], str]


def device(key: int = 1, platform: str = "fcm") -> Device:
    return Device(
        key=key, id=f"d{key}", platform=platform, token=f"token-{key}", registered_at=now()
    )


def to(*devices: Device) -> Outbound:
    return outbound(address="ann", devices=devices)


def raising(error: Exception) -> Answer:
    def answer(_device: Device) -> str:
        raise error

    return answer


@dataclass
class Service:
    """A push service that does what the test says."""

    answer: Answer = lambda one: f"taken-{one.key}"
    provider: str = "service://"
    concurrency: int = 4
    asked: list[int] = field(default_factory=list)

    def address(self, receiver: Receiver) -> str:
        return str(receiver.app_user_id)

    def send(self, message: Outbound) -> str:
        (one,) = message.devices
        self.asked.append(one.key)
        return self.answer(one)

    def close(self) -> None: ...


class Resting(Service):
    """One that is not to be asked for so many seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds

    def resting(self) -> float:
        return self._seconds


@dataclass
class Registry:
    """Devices that were called gone."""

    gone: list[Device] = field(default_factory=list)


@pytest.fixture
def registry() -> Registry:
    return Registry()


@pytest.fixture
def place(tmp_path: Path, registry: Registry) -> Environment:
    return replace(environment(tmp_path, "push"), on_gone=registry.gone.append)


def push(place: Environment, **services: Service) -> Push:
    return open_push(list(services.items()), place)
