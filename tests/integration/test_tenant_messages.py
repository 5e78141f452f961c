"""Messages of tenants with templates of their own, from the request to the channel."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from falcon import testing
from prometheus_client import REGISTRY

from api.app import create_app
from communication.catalogue.catalogue import Catalogue
from communication.settings import Settings
from communication.store import Store
from tests.api import MESSAGES, check_error
from tests.issuer import Issuer
from tests.messages import claimed
from tests.scripted_channel import Scripted
from tests.templates import write
from worker.batch import BatchRunner
from worker.deliver import Deliverer
from worker.templating import open_templating

ISSUER = Issuer()
ACME, OTHER = (ISSUER.bearer(tenant=name) for name in ("acme", "other"))
FILES = {
    "hello/email.subject.txt": "Hello",
    "hello/email.txt": "From all",
    "_tenants/acme/hello/email.txt": "From acme, {{ code }}",
    "_tenants/acme/hello/template.toml": """\
[characteristics.code]
type = "integer"
required = true
description = "The secret code."
""",
    "_tenants/acme/secret/email.subject.txt": "Secret",
    "_tenants/acme/secret/email.txt": "{{ 1 // (n - 1) }}",
}
BODY = {"type": "Email", "template": "hello", "receiver": [{"email": "a@example.com"}]}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    write(tmp_path / "templates", FILES)
    return Settings(
        data=tmp_path,
        templates=tmp_path / "templates",
        jwks=str(ISSUER.publish(tmp_path / "jwks.json")),
        render_processes=1,
    )


@pytest.fixture
def api(store: Store, settings: Settings) -> testing.TestClient:
    return testing.TestClient(create_app(store, settings))


@pytest.fixture
def channel() -> Scripted:
    return Scripted()


@pytest.fixture
def runner(store: Store, settings: Settings, channel: Scripted) -> Iterator[BatchRunner]:
    with closing(open_templating(settings)) as templating:
        running = BatchRunner(store, settings, Deliverer(channel, settings), templating=templating)
        yield running
        running.close()


def send(api: testing.TestClient, caller: dict[str, str], **changes: Any) -> testing.Result:
    return api.simulate_post(f"{MESSAGES}/send", headers=caller, json=BODY | changes)


def valued(name: str, value: object) -> dict[str, Any]:
    return {"characteristic": [{"name": name, "value": value}]}


def test_one_batch_has_each_tenant_its_own_version(
    api: testing.TestClient,
    store: Store,
    runner: BatchRunner,
    channel: Scripted,
    settings: Settings,
) -> None:
    assert send(api, ACME, id="m", **valued("code", 7)).status_code == 200
    assert send(api, OTHER, id="m").status_code == 200

    runner.run(claimed(store), "relay")

    assert {one.text for one in channel.sent} == {"From acme, 7", "From all"}
    catalogue = Catalogue(settings.templates)
    for caller, tenant in ((ACME, "acme"), (OTHER, "other")):
        [told] = api.simulate_get(f"{MESSAGES}/m/delivery", headers=caller).json
        assert told["templateVersion"] == catalogue.snapshot("hello", tenant).version


def test_what_a_tenants_version_needs_is_asked_of_that_tenant_alone(
    api: testing.TestClient,
) -> None:
    check_error(send(api, ACME), 400, 23, "code", "The secret code")
    check_error(send(api, ACME, **valued("code", "x")), 400, 24, "whole number")
    answer = send(api, OTHER, id="m", **valued("code", "x"))
    assert answer.status_code == 200
    assert "secret" not in answer.text

    kept = api.simulate_post(MESSAGES, headers=ACME, json=BODY | valued("code", 1) | {"id": "k"})
    assert kept.status_code == 201
    patched = api.simulate_patch(f"{MESSAGES}/k", headers=ACME, json=valued("code", None))
    check_error(patched, 400, 23, "code")


def test_the_name_of_another_tenants_template_is_as_good_as_none(
    api: testing.TestClient,
) -> None:
    assert send(api, ACME, template="secret", **valued("n", 3)).status_code == 200
    found = send(api, OTHER, template="secret", **valued("n", 3))
    absent = send(api, OTHER, template="secreu", **valued("n", 3))
    check_error(found, 400, 24, "there is no template 'secret'")
    assert found.text.replace("secret", "secreu") == absent.text


def test_what_can_not_be_rendered_is_counted_for_its_tenant(
    api: testing.TestClient, store: Store, runner: BatchRunner
) -> None:
    def counted(tenant: str) -> float:
        labels = {"tenant": tenant, "template": "secret"}
        return REGISTRY.get_sample_value("tidings_renders_failed_total", labels) or 0.0

    before = counted("acme"), counted("other")
    send(api, ACME, template="secret", id="m", **valued("n", 1))
    runner.run(claimed(store), "relay")
    [told] = api.simulate_get(f"{MESSAGES}/m/delivery", headers=ACME).json
    assert "secret/email.txt:1" in told["reason"]
    assert "_tenants" not in told["reason"]
    assert (counted("acme"), counted("other")) == (before[0] + 1, before[1])
