"""The API's own description: complete, true, and readable without anything of other hosts."""

import re
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

import jsonschema_rs
import pytest
import schemathesis
from falcon import testing
from falcon.inspect import inspect_routes
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import CheckFunction, not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.app import create_app
from api.openapi.document import openapi_path
from communication.settings import Settings
from communication.store import Store, open_store, upgrade
from tests.issuer import Issuer

CHECKS: list[CheckFunction] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = 3
ISSUER = Issuer()


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    url = f"sqlite:///{tmp_path_factory.mktemp('openapi')}/tidings.db"
    upgrade(url)
    with closing(open_store(url)) as opened:
        yield opened


@pytest.fixture(scope="module", params=["open", "authenticated"])
def app(
    database: Store, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Any, Mapping[str, str]]:
    """The API, and the headers that get in."""
    if request.param == "open":
        return create_app(database, Settings()), {}
    keys = ISSUER.publish(tmp_path_factory.mktemp("keys") / "jwks.json")
    headers = ISSUER.bearer(tenant="default")
    return create_app(database, Settings(jwks=str(keys), rate_per_client="")), headers


def test_every_route_is_described_and_no_other(app: tuple[Any, Mapping[str, str]]) -> None:
    described = testing.TestClient(app[0]).simulate_get("/openapi.json").json["paths"]
    served = {
        (openapi_path(route.path), method.method.lower())
        for route in inspect_routes(app[0])
        for method in route.methods
        if not method.internal and method.method != "HEAD"
    }
    methods = ("get", "post", "put", "patch", "delete")
    assert served == {
        (path, method) for path, item in described.items() for method in item if method in methods
    }


def test_every_scope_is_told(app: tuple[Any, Mapping[str, str]]) -> None:
    described = testing.TestClient(app[0]).simulate_get("/openapi.json").json["paths"]
    for path, item in described.items():
        for name, operation in item.items():
            scope = app[0].scopes_by_route.get(path, {}).get(name.upper())
            assert scope is None or f"`{scope}`" in operation["description"]


def test_every_body_has_an_example(app: tuple[Any, Mapping[str, str]]) -> None:
    described = testing.TestClient(app[0]).simulate_get("/openapi.json").json
    bodies = list(bodies_of(described))
    assert len(bodies) > 200
    for where, media_type, media in bodies:
        assert (
            "json" not in media_type or where.endswith("openapi.json") or media.get("examples")
        ), where


def bodies_of(described: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Of requests and answers: where it is, its media type, and what is said of it."""
    for path, item in described["paths"].items():
        for operation in (one for name, one in item.items() if name != "servers"):
            for one in (operation.get("requestBody", {}), *operation["responses"].values()):
                for media_type, media in one.get("content", {}).items():
                    yield path, media_type, media


def test_every_example_is_as_its_schema_says(app: tuple[Any, Mapping[str, str]]) -> None:
    described = testing.TestClient(app[0]).simulate_get("/openapi.json").json
    for where, _, media in bodies_of(described):
        for name, example in media.get("examples", {}).items():
            whole = {"components": described["components"], "allOf": [media["schema"]]}
            check = jsonschema_rs.Draft202012Validator(whole, validate_formats=True)
            faults = [one.message for one in check.iter_errors(example["value"])]
            assert not faults, (where, name)


def test_what_is_said_of_errors_and_access_is_whole(app: tuple[Any, Mapping[str, str]]) -> None:
    described = testing.TestClient(app[0]).simulate_get("/openapi.json").json
    send = described["paths"]["/communicationMessage/send"]["post"]
    assert {"token": ["communication:send"]} in send["security"]
    assert {"Retry-After", "RateLimit", "RateLimit-Policy"} <= set(
        send["responses"]["429"]["headers"]
    )
    assert "WWW-Authenticate" in send["responses"]["401"]["headers"]
    assert "Retry-After" in send["responses"]["503"]["headers"]
    assert {"Location", "Idempotent-Replayed", "X-Request-ID"} <= set(
        send["responses"]["200"]["headers"]
    )
    assert "Idempotency-Key" in {one["name"] for one in send["parameters"]}
    listener = described["paths"]["/externalapi/listener/v1/listener"]["post"]
    assert "429" not in listener["responses"]
    assert "Retry-After" in listener["responses"]["403"]["headers"]
    told = described["paths"]["/hub"]["post"]["callbacks"]["event"]
    assert set(told["{$request.body#/callback}"]["post"]["requestBody"]["content"])


def test_every_link_leads_to_an_operation(app: tuple[Any, Mapping[str, str]]) -> None:
    described = testing.TestClient(app[0]).simulate_get("/openapi.json").json
    operations = {
        operation["operationId"]: operation
        for item in described["paths"].values()
        for name, operation in item.items()
        if name != "servers"
    }
    links = [
        link
        for operation in operations.values()
        for answer in operation["responses"].values()
        for link in answer.get("links", {}).values()
    ]
    assert len(links) > 15
    for link in links:
        names = {one["name"] for one in operations[link["operationId"]]["parameters"]}
        assert set(link["parameters"]) <= names


def test_the_page_loads_nothing(app: tuple[Any, Mapping[str, str]]) -> None:
    answer = testing.TestClient(app[0]).simulate_get("/docs")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert not re.search(r"<(script|img|link|iframe)|\bsrc=|@import|url\(", answer.text)
    assert not re.findall(r"href=['\"]?(https?:)?//", answer.text)
    anchors = set(re.findall(r"id='?([\w-]+)", answer.text))
    assert {f"error-{code}" for code in (1, 5, 6, 20, 24, 40, 53, 60, 63)} <= anchors
    assert "communicationMessage/{message_id}/delivery" in answer.text


def test_what_is_generated_from_it_is_answered_as_it_says(
    app: tuple[Any, Mapping[str, str]],
) -> None:
    served, headers = app
    described = schemathesis.openapi.from_wsgi("/openapi.json", served)
    for result in described.get_all_operations():
        assert isinstance(result, Ok)
        operation = result.ok()
        if operation.path in ("/ready", "/metrics"):  # they answer by the address of who asks
            continue
        check_operation(operation, headers)


def check_operation(operation: Any, headers: Mapping[str, str]) -> None:
    @settings(
        max_examples=EXAMPLES,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def check(case: Any) -> None:
        try:
            case.call_and_validate(headers=dict(headers), checks=CHECKS)
        except FailureGroup as failures:
            raise AssertionError(f"{operation.label}: {failures.exceptions}") from failures

    check()


def test_a_path_that_is_not_described_is_not_there(app: tuple[Any, Mapping[str, str]]) -> None:
    answer = testing.TestClient(app[0]).simulate_get("/nowhere")
    assert (answer.status_code, answer.json["code"]) == (404, 60)
