"""Data that are not to be kept."""

from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import func, insert, select, update
from sqlmodel import SQLModel

from communication.clock import now
from communication.devices.device_model import DEVICE
from communication.devices.registry import register
from communication.events.event_model import (
    COLLECTED_EVENT,
    EVENT,
    FORWARDING,
    HEARD_EVENT,
    ORDER_EVENT,
    STAGED_EVENT,
)
from communication.events.forwarding import adopt
from communication.model import ATTEMPT, DELIVERY, MESSAGE
from communication.privacy.erasing import erase
from communication.privacy.purging import purge
from communication.privacy.scrubbing import ERASED, scrub
from communication.redis_client import open_redis
from communication.settings import Settings
from communication.store import Store, open_store
from communication.wire.device import NewDevice, Platform
from tests.api import MESSAGES, client
from tests.events import SETTINGS, Calls
from tests.messages import email, rows, store_message
from tests.services import Redis
from tidings.cli import main
from worker.main import open_queues
from worker.purger import Purger
from worker.sequencer import Sequencer

ANN, BEN = "Ann@example.com", "ben@example.com"
LETTER = {"type": "Email", "subject": "Dear Ann", "content": "Ann, it is ready."}
HEARD = {
    "eventDate": "2026-11-21T08:00:00Z",
    "eventType": "ServiceOrderStateChangeNotification",
    "event": {"id": "order-1", "state": "completed", "contact": [{"email": ANN, "name": "Ann"}]},
}
COLLECTED = {
    "entity_id": "ann@example.com",
    "event_payload": {"operation": "CREATE"},
    "event_source": "ORDER",
    "event_type": "FAULT",
}


def fill(store: Store) -> Any:
    """Ann everywhere; Ben beside her in one message. The API to look at it."""
    api = client(store)
    ann = {"email": ANN, "name": "Ann Andersson", "id": "customer-1", "ip": "192.0.2.7"}
    for body in ({**LETTER, "receiver": [ann]}, {**LETTER, "receiver": [ann, {"email": BEN}]}):
        answer = api.simulate_post(f"{MESSAGES}/send", json=body, headers={"Idempotency-Key": "k"})
        api.simulate_post(f"{MESSAGES}/send", json=body)
        assert answer.status_code in (200, 422)
    api.simulate_post("/externalapi/listener/v1/listener", json={**HEARD, "eventId": "e-1"})
    api.simulate_post("/api/v1/events", json=COLLECTED, headers={"X-TWC-Tenant": "default"})
    topic = {"platform": "ntfy", "token": "topic"}
    api.simulate_put("/appUser/ann@example.com/device/phone", json=topic)
    settings = Settings()
    Sequencer(store, settings, open_queues(settings), ()).step()
    return api


def everything(store: Store) -> str:
    """All that the database holds, but what is kept on purpose."""
    kept = ("order_event", "suppression", "alembic_version")
    with store.read() as connection:
        return "\n".join(
            repr(connection.execute(select(table)).all())
            for name, table in SQLModel.metadata.tables.items()
            if name not in kept
        )


def count(store: Store, table: Any) -> int:
    with store.read() as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def test_a_person_is_erased_and_stays_counted(store: Store) -> None:
    api = fill(store)
    deliveries = count(store, DELIVERY)

    with store.write() as connection:
        erased = erase(connection, ANN.lower())

    left = everything(store).lower()
    assert not [word for word in ("ann@example", "andersson", "192.0.2.7") if word in left]
    assert "it is ready" in left  # Ben's
    assert left.count("it is ready") < 4
    assert (erased.receivers, erased.messages, erased.devices) == (3, 2, 1)
    assert count(store, DELIVERY) == deliveries
    listed = api.simulate_get(MESSAGES).json
    assert sorted(len(one["receiver"]) for one in listed) == [1, 1, 2]
    assert {one["email"] for message in listed for one in message["receiver"] if one} == {BEN}


def test_only_the_tenant_that_was_named_forgets(store: Store) -> None:
    fill(store)
    with store.write() as connection:
        assert erase(connection, ANN, "other").receivers == 0
    assert "andersson" in everything(store).lower()


def test_what_a_provider_said_of_a_person_is_erased(store: Store) -> None:
    fill(store)
    with store.write() as connection:
        connection.execute(update(DELIVERY).values(reason="Ann Andersson moved", state="failed"))
        keys = connection.execute(select(DELIVERY.c.key).order_by(DELIVERY.c.key)).scalars()
        tried = {"number": 1, "provider": "x://", "outcome": "failed", "took_ms": 1, "at": now()}
        for key in keys:
            one = insert(ATTEMPT).values(**tried, delivery_key=key, reason="Ann Andersson moved")
            connection.execute(one)

        erase(connection, ANN)

    for table in (ATTEMPT, DELIVERY):
        reasons = [row.reason for row in rows(store, table)]
        assert sorted(set(reasons)) == ["Ann Andersson moved", ERASED]
        assert reasons.count(ERASED) == 3  # the fourth is Ben's


def test_devices_are_forgotten_of_the_tenant_that_was_named(store: Store) -> None:
    phone = NewDevice(platform=Platform.NTFY, token="topic", keys={}, locale=None)
    with store.write() as connection:
        for tenant in ("a", "b"):
            register(connection, tenant, "ann", "phone", replace(phone, token=f"of-{tenant}"))
        assert erase(connection, "ann", "a").devices == 1
        assert [one.tenant for one in connection.execute(select(DEVICE))] == ["b"]
        assert erase(connection, "ann").devices == 1


@pytest.mark.parametrize("told", [True, False])
def test_what_events_keep_of_changed_texts_is_erased(store: Store, *, told: bool) -> None:
    store_message(store, email(id="m", receiver=[{"email": ANN}]), sending=False)
    patch = {"subject": "Our secret", "content": "We meet at noon", "priority": 7}
    assert client(store).simulate_patch(f"{MESSAGES}/m", json=patch).status_code == 201
    if told:
        Sequencer(store, SETTINGS, Calls(), ()).step()
    kept = EVENT if told else STAGED_EVENT
    assert "We meet at noon" in repr(rows(store, kept))

    with store.write() as connection:
        erase(connection, ANN)

    left = repr(rows(store, kept))
    assert "noon" not in left
    assert "secret" not in left
    assert "'priority': 7" in left


def test_nobody_in_particular_is_nobody(store: Store) -> None:
    fill(store)
    with store.write() as connection:
        erased = erase(connection, "nobody@example.com")
    assert (erased.receivers, erased.messages, erased.devices, erased.bodies) == (0, 0, 0, 0)


def test_what_names_a_person_in_json_is_taken_out() -> None:
    value = {"to": [{"email": "a@b.c", "name": "A"}, {"x": 1}], "said": "for A@B.C", "n": 1}
    assert scrub(value, "a@b.c") == {"to": [{}, {"x": 1}], "said": ERASED, "n": 1}
    assert scrub({"by": {"A@b.c": 1, "x": 2}}, "a@b.c") == {"by": {ERASED: 1, "x": 2}}


def age(store: Store, days: float) -> None:
    """As if all of it had ended so long ago."""
    then = now() - timedelta(days=days)
    with store.write() as connection:
        connection.execute(update(DELIVERY).values(due_at=None, state="delivered", ended_at=then))
        connection.execute(
            update(MESSAGE).values(updated_at=then, open_count=0, status="Completed")
        )
        connection.execute(update(EVENT).values(at=then))
        connection.execute(update(HEARD_EVENT).values(created_at=then))


def test_what_is_over_for_long_is_deleted_but_for_the_feed(store: Store) -> None:
    api = fill(store)
    fed = count(store, ORDER_EVENT)
    age(store, 10)
    young = api.simulate_post(f"{MESSAGES}/send", json={**LETTER, "receiver": [{"email": BEN}]})

    counts = purge(store, now() - timedelta(days=5))

    assert counts["messages"] == 3
    assert counts["heard events"] == 1
    assert [one["id"] for one in api.simulate_get(MESSAGES).json] == [young.json["id"]]
    assert count(store, DELIVERY) == 1
    assert count(store, ORDER_EVENT) == fed > 0
    assert len(api.simulate_get("/api/2.3.1/orderevents").json) == fed


def test_what_is_open_is_kept_however_old(store: Store) -> None:
    fill(store)
    with store.write() as connection:
        connection.execute(update(MESSAGE).values(updated_at=now() - timedelta(days=99)))
    assert purge(store, now() - timedelta(days=5))["messages"] == 0


def test_what_ended_but_for_a_delivery_under_way_is_kept(store: Store) -> None:
    fill(store)
    age(store, 10)
    with store.write() as connection:
        connection.execute(update(MESSAGE).values(status="Cancelled", open_count=1))
    assert purge(store, now())["messages"] == 0


def test_what_was_never_sent_is_kept_until_it_is_deleted(store: Store) -> None:
    for name in ("draft", "deleted"):
        store_message(store, email(id=name), sending=False)
    assert client(store).simulate_delete(f"{MESSAGES}/deleted").status_code == 204
    assert purge(store, now())["messages"] == 1
    assert [row.id for row in rows(store, MESSAGE)] == ["draft"]


def test_what_is_on_its_way_to_another_collector_is_kept(store: Store) -> None:
    fill(store)
    with store.write() as connection:
        connection.execute(update(COLLECTED_EVENT).values(to_forward=True))
        assert adopt(connection, limit=9, now=now()) == 1
        old = now() - timedelta(days=10)
        connection.execute(update(COLLECTED_EVENT).values(created_at=old))
    assert purge(store, now())["collected events"] == 0
    with store.write() as connection:
        connection.execute(update(FORWARDING).values(due_at=None))
    assert purge(store, now())["collected events"] == 1
    assert not rows(store, FORWARDING)


def test_events_that_somebody_has_not_been_told_are_kept(store: Store) -> None:
    fill(store)
    age(store, 10)
    before = count(store, EVENT)
    with store.write() as connection:
        connection.exec_driver_sql("UPDATE event_cursor SET position = 0 WHERE name = 'told'")
    purge(store, now() - timedelta(days=5))
    assert count(store, EVENT) == before > 0


def test_the_relay_purges_by_itself(store: Store) -> None:
    fill(store)
    age(store, 10)
    settings = Settings(retention=5)
    purger = Purger(store, settings, open_queues(settings))
    while purger.step():
        pass
    assert count(store, MESSAGE) == 0


def test_what_waits_for_pollers_is_brought_back_without_the_person(
    migrated_sqlite_url: str, redis_server: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    redis_server.wipe()
    monkeypatch.setenv("TIDINGS_DATABASE_URL", migrated_sqlite_url)
    monkeypatch.setenv("TIDINGS_REDIS_URL", redis_server.url)
    with closing(open_store(migrated_sqlite_url)) as store:
        api = client(store, redis_url=redis_server.url)
        wanted = {"client_id": "shop", "event_type_ids": ["FAULT"]}
        api.simulate_post("/notification/v1/subscriptions", json=wanted)
        with closing(open_redis(Settings(redis_url=redis_server.url))) as redis:
            assert redis.dbsize() == 1
            result = CliRunner().invoke(main, ["forget", "--receiver", ANN])
            assert (result.exit_code, redis.dbsize()) == (0, 0), result.output


def test_purging_needs_a_term(migrated_sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDINGS_DATABASE_URL", migrated_sqlite_url)
    assert "TIDINGS_RETENTION" in CliRunner().invoke(main, ["purge"]).stderr
    result = CliRunner().invoke(main, ["purge", "--days", "30"])
    assert result.stdout.startswith("Deleted 0 messages")
