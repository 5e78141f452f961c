"""Devices from the wire."""

from typing import Any

import pytest

from communication.errors import RequestError
from communication.wire.device import read_device
from tests.devices import subscription


def fault(body: dict[str, Any]) -> tuple[int, str | None]:
    """The error's code and the field that it names."""
    with pytest.raises(RequestError) as caught:
        read_device(body)
    return caught.value.code, caught.value.field


def test_keys_in_the_other_alphabet_and_with_padding_are_the_same_keys() -> None:
    given = subscription()
    other = {name: key.replace("-", "+").replace("_", "/") for name, key in given["keys"].items()}
    padded = {"p256dh": other["p256dh"] + "=", "auth": other["auth"] + "=="}

    body = {"platform": "webpush", "subscription": {**given, "keys": padded}}

    assert read_device(body).keys == given["keys"]


def test_one_installation_has_one_fingerprint() -> None:
    given = subscription()
    body = {"platform": "webpush", "subscription": given, "locale": "sv"}
    renewed = {"platform": "webpush", "subscription": subscription()}

    assert read_device(body).fingerprint == read_device(renewed).fingerprint
    assert (
        read_device({"platform": "fcm", "token": "x"}).fingerprint
        != read_device({"platform": "ntfy", "token": "x"}).fingerprint
    )


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({}, 23, "platform"),
        ({"platform": "sms"}, 24, "platform"),
        ({"platform": 5}, 24, "platform"),
        ({"platform": "fcm"}, 23, "token"),
        ({"platform": "fcm", "token": ""}, 24, "token"),
        ({"platform": "fcm", "token": "a b"}, 24, "token"),
        ({"platform": "fcm", "token": "x" * 4097}, 24, "token"),
        ({"platform": "apns", "token": "../../etc"}, 24, "token"),
        ({"platform": "apns", "token": "abc"}, 24, "token"),
        ({"platform": "ntfy", "token": "a/b"}, 24, "token"),
        ({"platform": "fcm", "token": "x", "locale": "../sv"}, 24, "locale"),
        ({"platform": "webpush", "token": "x"}, 23, "subscription"),
        ({"platform": "webpush", "subscription": []}, 24, "subscription"),
        ({"platform": "webpush", "subscription": {}}, 23, "subscription.endpoint"),
    ],
    ids=str,
)
def test_a_fault_is_named(body: dict[str, Any], code: int, field: str) -> None:
    assert fault(body) == (code, field)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("endpoint", "http://push.example.com/1"),
        ("endpoint", "https://user:secret@push.example.com/1"),
        ("endpoint", "https://push.example.com/a b"),
        ("endpoint", "https://push.example.com/\r\nX: 1"),
        ("endpoint", "https://push.example.com:99999/"),
        ("endpoint", "https:///1"),
        ("keys", None),
        ("keys.auth", "AAAA"),
        ("keys.auth", "0123456789abcde!"),
        ("keys.p256dh", "BA"),
        ("keys.p256dh", "B" + "A" * 86),
    ],
    ids=str,
)
def test_a_fault_of_a_subscription_is_named(name: str, value: str | None) -> None:
    given = subscription()
    outer, _, inner = name.rpartition(".")
    (given[outer] if outer else given)[inner] = value
    code = 23 if value is None else 24

    assert fault({"platform": "webpush", "subscription": given}) == (code, f"subscription.{name}")
