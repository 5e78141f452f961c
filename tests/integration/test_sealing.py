"""Secrets at rest."""

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import insert, select, text

from communication.clock import now
from communication.devices.registry import list_devices
from communication.devices.registry import register as register_device
from communication.errors import ServiceUnavailable, SettingsError
from communication.hubs.registration import NewHub, find_hub, register, rotate_secret
from communication.model import IDEMPOTENCY
from communication.privacy.resealing import reseal
from communication.privacy.sealing import new_key
from communication.settings import load_settings
from communication.store import Store, open_store, upgrade
from communication.wire.device import NewDevice, Platform

OLD, NEW = new_key(), new_key()
HUB = NewHub(callback="http://hub.example/", query=None, api_version="v1")
BROWSER = NewDevice(
    platform=Platform.WEBPUSH,
    token="https://push.example/secret-endpoint",
    keys={"p256dh": "secret-key", "auth": "secret-auth"},
    locale=None,
)

KEPT = {
    "tenant": "a",
    "client": "shop",
    "route": "POST /hub",
    "idempotency_key": "k",
    "request_hash": "h",
    "status": "201 Created",
    "headers": {},
    "body": '{"secret":"whsec_secret-answer"}',
}

Opening = Callable[[str], Store]


@pytest.fixture
def opening(database_url: str) -> Iterator[Opening]:
    """Opens the test's database with these keys."""
    upgrade(database_url)
    opened: list[Store] = []

    def open_with(keys: str) -> Store:
        opened.append(open_store(database_url, connections=2, secret_keys=keys))
        return opened[-1]

    yield open_with
    for store in opened:
        store.close()


def fill(store: Store) -> tuple[str, str]:
    """A hub, whose id and secret are returned, a browser, and an answer that a key keeps."""
    with store.write() as connection:
        hub = register(connection, "a", HUB)
        register_device(connection, "a", "ann", "phone", BROWSER)
        connection.execute(insert(IDEMPOTENCY).values(**KEPT, created_at=now()))
    return hub.id, hub.secret


def stored(store: Store) -> str:
    """All that the database says of secrets."""
    with store.read() as connection:
        rows = [
            *connection.execute(text("SELECT secret, old_secret FROM hub")),
            *connection.execute(text("SELECT token, keys FROM device")),
            *connection.execute(text("SELECT body FROM idempotency")),
        ]
    return repr(rows)


def read(store: Store, hub_id: str) -> tuple[str, str, object]:
    with store.read() as connection:
        [device] = list_devices(connection, "a", "ann")
        assert connection.execute(select(IDEMPOTENCY.c.body)).scalar_one() == KEPT["body"]
        return find_hub(connection, "a", hub_id).secret, device.token, device.keys


def test_what_is_sealed_cannot_be_read_in_the_database(opening: Opening) -> None:
    store = opening(NEW)
    hub_id, secret = fill(store)
    with store.write() as connection:
        rotated, _ = rotate_secret(connection, "a", hub_id, until=now())
        hub = find_hub(connection, "a", hub_id)
    assert (hub.secret, hub.old_secret) == (rotated, secret)
    assert read(store, hub_id) == (rotated, BROWSER.token, BROWSER.keys)
    assert not any(
        word in stored(store)
        for word in (secret, rotated, "push.example", "secret-auth", "secret-answer")
    )


def test_keys_can_be_rotated(opening: Opening) -> None:
    hub_id, secret = fill(opening(OLD))
    both = opening(f"{NEW},{OLD}")
    assert read(both, hub_id) == (secret, BROWSER.token, BROWSER.keys)

    assert reseal(both) == 3

    assert read(opening(NEW), hub_id) == (secret, BROWSER.token, BROWSER.keys)
    with pytest.raises(ServiceUnavailable, match="TIDINGS_SECRET_KEYS"):
        read(opening(OLD), hub_id)


def test_a_part_that_seals_with_the_old_key_reads_what_the_new_one_sealed(opening: Opening) -> None:
    hub_id, secret = fill(opening(f"{NEW},{OLD}"))
    assert read(opening(f"{OLD},{NEW}"), hub_id) == (secret, BROWSER.token, BROWSER.keys)
    with pytest.raises(ServiceUnavailable, match="TIDINGS_SECRET_KEYS"):
        read(opening(OLD), hub_id)


def test_what_was_stored_before_there_were_keys_is_sealed_by_resealing(opening: Opening) -> None:
    bare = opening("")
    hub_id, secret = fill(bare)
    assert secret in stored(bare)
    assert "secret-answer" in stored(bare)
    keyed = opening(NEW)
    assert read(keyed, hub_id)[0] == secret
    reseal(keyed)
    assert secret not in stored(keyed)
    assert "secret-answer" not in stored(keyed)
    with pytest.raises(ServiceUnavailable):
        read(bare, hub_id)


def test_a_key_that_is_none_stops_the_start() -> None:
    with pytest.raises(SettingsError, match="TIDINGS_SECRET_KEYS") as caught:
        load_settings(secret_keys=f"{NEW},hush")
    assert "hush" not in str(caught.value)
