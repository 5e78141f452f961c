"""/metrics and /ready are for operators: by their addresses, or by a token."""

from pathlib import Path
from typing import Any

import pytest
from falcon import testing

from communication.store import Store
from tests.api import MESSAGES, check_error, client
from tests.issuer import Issuer

ISSUER = Issuer()
STRANGE = "192.0.2.1"
ADMIN = ISSUER.bearer(scope="admin")
PATHS = pytest.mark.parametrize("path", ["/ready", "/metrics"])


@pytest.fixture
def store(sqlite_store: Store) -> Store:
    """Who gets in has nothing to do with the database."""
    return sqlite_store


def api(store: Store, folder: Path, **settings: Any) -> testing.TestClient:
    keys = ISSUER.publish(folder / "jwks.json")
    return client(store, jwks=str(keys), **settings)


@PATHS
def test_the_scope_admin_opens_them_from_anywhere(store: Store, tmp_path: Path, path: str) -> None:
    served = api(store, tmp_path)
    for method in ("GET", "HEAD"):
        answer = served.simulate_request(method, path, remote_addr=STRANGE, headers=ADMIN)
        assert answer.status_code == 200


@PATHS
@pytest.mark.parametrize(
    ("headers", "status", "code", "challenge"),
    [
        ({}, 401, 40, 'Bearer realm="tidings"'),
        ({"Authorization": "Bearer x"}, 401, 41, 'error="invalid_token"'),
        ({"Authorization": "Basic dTpw"}, 401, 41, 'error="invalid_token"'),
        (ISSUER.bearer(scope="admin", exp=1), 401, 42, 'error="invalid_token"'),
        (Issuer().bearer(scope="admin"), 401, 41, 'error="invalid_token"'),
        (ISSUER.bearer(scope="admin", tenant="../a"), 403, 50, 'error="insufficient_scope"'),
        (
            ISSUER.bearer(scope="communication:read administrator"),
            403,
            51,
            'error="insufficient_scope", scope="admin"',
        ),
        (ADMIN | {"X-TWC-Tenant": "another"}, 403, 50, 'Bearer realm="tidings"'),
    ],
)
def test_others_are_told_what_they_lack(
    store: Store,
    tmp_path: Path,
    path: str,
    headers: dict[str, str],
    status: int,
    code: int,
    challenge: str,
) -> None:
    answer = api(store, tmp_path).simulate_get(path, remote_addr=STRANGE, headers=headers)
    check_error(answer, status, code)
    assert challenge in answer.headers["www-authenticate"]
    assert "# HELP" not in answer.text


@PATHS
def test_an_operators_address_needs_no_token_and_loses_nothing_by_one(
    store: Store, tmp_path: Path, path: str
) -> None:
    served = api(store, tmp_path, operations_allow="10.0.0.0/8")
    for headers in ({}, ISSUER.bearer(scope="events:read"), {"Authorization": "Bearer x"}):
        answer = served.simulate_get(path, remote_addr="10.1.2.3", headers=headers)
        assert answer.status_code == 200
    forwarded = {
        "X-Forwarded-For": "10.1.2.3",
        "Forwarded": "for=10.1.2.3",
        "X-Real-IP": "10.1.2.3",
    }
    assert served.simulate_get(path, remote_addr=STRANGE, headers=forwarded).status_code == 401


@PATHS
def test_where_no_address_is_an_operators_everybody_needs_a_token(
    store: Store, tmp_path: Path, path: str
) -> None:
    served = api(store, tmp_path, operations_allow="")
    assert served.simulate_get(path, remote_addr="127.0.0.1").status_code == 401
    assert served.simulate_get(path, remote_addr="127.0.0.1", headers=ADMIN).status_code == 200


@PATHS
def test_without_authentication_a_token_opens_nothing(store: Store, path: str) -> None:
    answer = client(store).simulate_get(path, remote_addr=STRANGE, headers=ADMIN)
    check_error(answer, 403, 50, "TIDINGS_OPERATIONS_ALLOW")


def test_admin_is_good_for_nothing_else(store: Store, tmp_path: Path) -> None:
    answer = api(store, tmp_path).simulate_get(MESSAGES, headers=ADMIN)
    check_error(answer, 403, 51)


def test_the_description_says_that_a_token_may_do(store: Store, tmp_path: Path) -> None:
    paths = api(store, tmp_path).simulate_get("/openapi.json").json["paths"]
    for path in ("/ready", "/metrics"):
        operation = paths[path]["get"]
        assert operation["security"] == [{}, {"token": ["admin"]}]
        assert "Scope: `admin`." in operation["description"]
        assert {"401", "403"} <= operation["responses"].keys()


@pytest.mark.parametrize("spelling", ["//metrics", "/metrics/", "/%6Detrics", "/x/../metrics"])
def test_what_a_proxy_may_not_know_for_their_path_needs_a_token(
    store: Store, tmp_path: Path, spelling: str
) -> None:
    served = api(store, tmp_path, operations_allow="127.0.0.0/8")
    told = {"RAW_URI": f"{spelling}?x=/metrics"}
    for headers, status in (({}, 401), (ADMIN, 200)):
        answer = served.simulate_get("/metrics", headers=headers, extras=told)
        assert answer.status_code == status
