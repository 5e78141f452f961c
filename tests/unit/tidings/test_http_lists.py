"""Which requests are lists."""

import pytest

from tidings.http.lists import is_list


@pytest.mark.parametrize(
    "path",
    [
        "/communicationMessage",
        "/communicationMessage/",
        "/communicationMessage//",
        "/communicationMess%61ge",
        "/communicationMessage/v1/communicationMessage",
        "/tmf-api/communicationManagement/v1/communicationMessage",
        "http://tidings.example/communicationMessage",
        "/communicationMessage/a%2Fb/delivery",
        "/api/2.3.1/orderevents/",
    ],
)
def test_what_may_be_long_is_a_list(path: str) -> None:
    assert is_list("GET", path)
    assert is_list("HEAD", path)
    assert not is_list("POST", path)


@pytest.mark.parametrize("path", ["", "/", "*", "/health", "/communicationMessage/1", "/hub"])
def test_what_is_short_is_none(path: str) -> None:
    assert not is_list("GET", path)
