"""From the registry to the push channel, and back when a device is gone."""

from datetime import timedelta
from typing import Any

import pytest

from channels.base import Device
from communication.clock import now
from communication.devices.device_model import DEVICE
from communication.devices.registry import find_device, register
from communication.errors import ServiceUnavailable
from communication.store import Store
from communication.wire.device import read_device
from tests.messages import claimed, rows, store_message
from worker.jobs import take_jobs
from worker.main import unregistering
from worker.render import Job


def registered(
    store: Store, user: str, name: str, token: str, tenant: str = "default", **rest: Any
) -> None:
    device = read_device({"platform": "fcm", "token": token, **rest})
    with store.write() as connection:
        register(connection, tenant, user, name, device)


def push_to(*users: str) -> dict[str, Any]:
    receivers = [{"appUserId": user} for user in users]
    return {"type": "MobileApp", "subject": "Hi", "content": "Hello", "receiver": receivers}


def taken(store: Store) -> list[Job]:
    keys = claimed(store, timedelta(seconds=30), channel="push")
    with store.write() as connection:
        batch = take_jobs(connection, keys, relayed="relay")
    return sorted(batch.jobs, key=lambda job: job.ordinal) if batch else []


def test_deliveries_carry_the_devices_of_their_users(store: Store) -> None:
    registered(store, "ann", "old", "token-1", locale="sv")
    registered(store, "ann", "new", "token-2")
    registered(store, "bo", "phone", "token-3", locale="pt-BR")
    registered(store, "ann", "other-tenants", "token-4", tenant="other")
    store_message(store, push_to("ann", "bo", "cy"))

    ann, bo, cy = (job.receiver for job in taken(store))

    assert [device.id for device in ann.devices] == ["new", "old"]
    assert [device.token for device in bo.devices] == ["token-3"]
    assert cy.devices == ()
    assert (ann.locale, bo.locale, cy.locale) == ("sv", "pt-BR", None)


def test_a_token_shows_in_no_text_of_a_device(store: Store) -> None:
    registered(store, "ann", "phone", "token-1")
    store_message(store, push_to("ann"))

    (job,) = taken(store)

    assert "token-1" not in repr(job)


def test_a_gone_device_is_unregistered(store: Store) -> None:
    registered(store, "ann", "phone", "token-1")
    store_message(store, push_to("ann"))
    (job,) = taken(store)

    unregistering(store)(job.receiver.devices[0])

    assert rows(store, DEVICE) == []


def test_a_device_that_was_registered_again_meanwhile_stays(store: Store) -> None:
    registered(store, "ann", "phone", "token-1")
    store_message(store, push_to("ann"))
    (job,) = taken(store)
    registered(store, "ann", "phone", "token-1")

    unregistering(store)(job.receiver.devices[0])

    with store.read() as connection:
        assert find_device(connection, "default", "ann", "phone").token == "token-1"


def test_without_the_database_a_gone_device_is_no_failure(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> None:
        raise ServiceUnavailable("the database is away")

    monkeypatch.setattr(store, "write", away)

    gone = Device(key=1, id="x", platform="fcm", token="t", registered_at=now())
    unregistering(store)(gone)
