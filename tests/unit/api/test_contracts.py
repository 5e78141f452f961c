"""Errors in the shape of the contract whose path was called."""

import pytest

from api.contracts import contract_of
from communication.errors import InvalidField, NotFound, RequestError


@pytest.mark.parametrize(
    ("path", "prefix"),
    [
        ("/notification/v1", "/notification/v1"),
        ("/notification/v1/subscriptions/ö", "/notification/v1"),
        ("/notification/v10", ""),
        ("/externalapi/listener/v1/listener", "/externalapi/listener/v1"),
        ("/communicationMessage", ""),
    ],
)
def test_a_path_belongs_to_a_contract(path: str, prefix: str) -> None:
    assert contract_of(path).prefix == prefix


def test_notifications_errors_are_a_code_and_a_description() -> None:
    error_body = contract_of("/notification/v1/subscriptions").error_body
    wrong = InvalidField("must be a list", field="event_type_ids")
    assert error_body(wrong) == {
        "code": "NOT000024",
        "description": "event_type_ids: must be a list",
    }
    assert error_body(NotFound("gone"))["code"] == "NOT000060"
    assert error_body(RequestError("broken"))["code"] == "NOT000099"


def test_the_listener_answers_too_many_requests_with_403() -> None:
    class TooMany(RequestError):
        code, status, reason = 53, 429, "Too many requests"

    listener = contract_of("/externalapi/listener/v1/listener")
    assert listener.status_of(TooMany("slower")) == 403
    assert listener.error_body(TooMany("slower"))["status"] == 403
    assert contract_of("/hub").status_of(TooMany("slower")) == 429
