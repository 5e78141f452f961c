"""Receivers who are nobody, through everything but a provider (docs/simulated.md)."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.running import Embedded, embedded

DEAD = "null://?fail=1"
TEXTS = {"subject": "Hello", "content": "Hello"}


@pytest.fixture(scope="module")
def up() -> Iterator[Embedded]:
    with embedded(email_url=DEAD, sms_url=DEAD, push_url=DEAD, retry_base=0.01) as running:
        yield running


@pytest.mark.parametrize(
    ("kind", "field", "addresses"),
    [
        ("SMS", "phoneNumber", ["07700900000", "07700 900002", "+44 7700 900003"]),
        (
            "Email",
            "email",
            [
                "simulate-delivered@notifications.service.gov.uk",
                "perm-fail@simulator.notify",
                "temp-fail+1@simulator.test",
            ],
        ),
        (
            "MobileApp",
            "appUserId",
            ["delivered@simulator.test", "perm-fail@simulator.test", "temp-fail@simulator.test"],
        ),
    ],
)
def test_they_end_as_their_address_says_while_the_provider_is_dead(
    up: Embedded, kind: str, field: str, addresses: list[str]
) -> None:
    receivers = [{field: address} for address in addresses]
    message = up.api.send(type=kind, **TEXTS, tryTimes=2, receiver=receivers)

    assert up.api.ends(message)["status"] == "Completed"
    assert [_end(one) for one in up.api.deliveries(message)] == [
        ("delivered", 1, None),
        ("failed", 1, "simulated permanent failure"),
        ("failed", 3, "simulated temporary failure"),
    ]


def _end(delivery: dict[str, Any]) -> tuple[str, int, str | None]:
    return delivery["state"], delivery["attempts"], delivery.get("reason")
