"""Push messages and devices for tests of the services' channels."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from channels.base import Channel, Device, Outbound
from channels.registry import open_channel
from channels.testing import environment
from channels.testing import outbound as any_outbound
from communication.clock import now
from communication.http.guard import Guard

NEAR = Guard.of("127.0.0.0/8")


def device(platform: str, token: str, key: int = 1, **rest: Any) -> Device:
    """A device that was registered just now."""
    return Device(
        key=key, id=f"d{key}", platform=platform, token=token, registered_at=now(), **rest
    )


def message(to: Device, **changes: Any) -> Outbound:
    """A small push message to one device."""
    usual = {
        "address": "ann",
        "message_id": "order-7",
        "delivery_id": "0192f0c1-1-0",
        "devices": (to,),
        "subject": "Din beställning",
        "text": "Den är på väg ✓",
    }
    return any_outbound(**{**usual, **changes})


def opened(url: str, folder: Path, guard: Guard = NEAR) -> Channel:
    """The channel of a push URL; endpoints that clients name may lead to this machine."""
    return open_channel(url, replace(environment(folder, "push"), guard=guard))


class ToDevice:
    """A channel whose every message goes to one device."""

    def __init__(self, inner: Channel, device: Device) -> None:
        self._inner = inner
        self._device = device
        self.concurrency = inner.concurrency
        self.provider = inner.provider
        self.address = inner.address
        self.close = inner.close

    def send(self, outbound: Outbound) -> str:
        return self._inner.send(replace(outbound, devices=(self._device,)))


def write_private(key: Any, path: Path) -> Path:
    """A private key as a PEM file."""
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return path


def write_public(key: Any, path: Path) -> Path:
    """The public half of a private key as a PEM file."""
    info = PublicFormat.SubjectPublicKeyInfo
    path.write_bytes(key.public_key().public_bytes(Encoding.PEM, info))
    return path


def write_key_files(folder: Path) -> None:
    """`p256.pem`, a signing key, and `account.json`, a service account of Google's."""
    write_private(ec.generate_private_key(ec.SECP256R1()), folder / "p256.pem")
    key = write_private(rsa.generate_private_key(65537, 2048), folder / "rsa.pem")
    account = {
        "project_id": "my-project",
        "private_key_id": "key-1",
        "private_key": key.read_text(),
        "client_email": "push@my-project.iam.example.com",
        "token_uri": "https://oauth2.example.com/token",
    }
    (folder / "account.json").write_text(json.dumps(account))
