"""The API as its clients see it, over a store and without a server."""

from typing import Any

from falcon import testing

from api.app import create_app
from communication.settings import Settings
from communication.store import Store

MESSAGES = "/communicationMessage"


def client(store: Store, **settings: Any) -> testing.TestClient:
    """A client of the API with these settings."""
    return testing.TestClient(create_app(store, Settings(**settings)))


def check_error(result: testing.Result, status: int, code: int, *words: str) -> None:
    """Check that it is the TMF error body, with this status and code and these words."""
    body = result.json
    assert (result.status_code, body["code"], body["status"]) == (status, code, status), body
    assert result.headers["content-type"] == "application/json"
    assert set(body) == {
        "code",
        "reason",
        "message",
        "status",
        "referenceError",
        "@type",
        "@schemaLocation",
    }
    for word in words:
        assert word in body["message"]
