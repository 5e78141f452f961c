"""Which requests are lists."""

import pytest

from tidings.http.lists import list_kind


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
    assert list_kind("GET", path)
    assert list_kind("HEAD", path)
    assert not list_kind("POST", path)


@pytest.mark.parametrize("path", ["", "/", "*", "/health", "/communicationMessage/1", "/hub"])
def test_what_is_short_is_none(path: str) -> None:
    assert not list_kind("GET", path)
