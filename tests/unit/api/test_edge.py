"""Path families and pages."""

import pytest
from falcon import testing
from falcon.request import Request

from api.edge import encoded_path, split_family
from api.paging import page

LONG = "/communicationMessage/v1"
TMF = "/tmf-api/communicationManagement/v1"


@pytest.mark.parametrize(
    ("path", "family", "short"),
    [
        ("/communicationMessage", "", "/communicationMessage"),
        ("/communicationMessage/", "", "/communicationMessage"),
        ("/communicationMessage/v1", "", "/communicationMessage/v1"),
        ("/communicationMessage/v1/send", "", "/communicationMessage/v1/send"),
        ("/communicationMessage/hub", "", "/communicationMessage/hub"),
        ("/communicationMessage/v1/communicationMessage", LONG, "/communicationMessage"),
        ("/communicationMessage/v1/communicationMessage/7/", LONG, "/communicationMessage/7"),
        ("/communicationMessage/v1/hub/42", LONG, "/hub/42"),
        (f"{TMF}/communicationMessage/send", TMF, "/communicationMessage/send"),
        (f"{TMF}/hub", TMF, "/hub"),
        (f"{TMF}/else", "", f"{TMF}/else"),
        ("/hub/42", "", "/hub/42"),
        ("/api/hub", "/api", "/hub"),
        ("/api/hub/42", "/api", "/hub/42"),
        ("/api/hubs", "", "/api/hubs"),
        ("/", "", "/"),
    ],
)
def test_a_path_is_a_family_and_a_short_path(path: str, family: str, short: str) -> None:
    assert split_family(path) == (family, short)


def request(query: str, path: str = "/communicationMessage") -> Request:
    made = testing.create_req(path=path, query_string=query)
    made.context.family = ""
    return made


def test_the_whole_list_is_200_without_links() -> None:
    answer = page(request(""), [b"1", b"2"], offset=0, limit=100, total=2)
    assert (answer.status, answer.body) == (200, b"[1,2]")
    assert answer.headers == {"X-Total-Count": "2", "X-Result-Count": "2"}


def test_an_empty_list_is_whole() -> None:
    answer = page(request(""), [], offset=0, limit=100, total=0)
    assert (answer.status, answer.body) == (200, b"[]")


def test_a_part_is_206_and_links_to_the_rest() -> None:
    answer = page(
        request("status=Failed&offset=4&limit=2"), [b"1", b"2"], offset=4, limit=2, total=9
    )
    assert answer.status == 206
    base = "</communicationMessage?status=Failed"
    assert answer.headers["Link"].split(", ") == [
        f'{base}&offset=0&limit=2>; rel="first"',
        f'{base}&offset=2&limit=2>; rel="prev"',
        f'{base}&offset=6&limit=2>; rel="next"',
        f'{base}&offset=8&limit=2>; rel="last"',
    ]


def test_a_page_that_ended_early_goes_on_where_it_ended() -> None:
    answer = page(request(""), [b"1"], offset=0, limit=100, total=3)
    assert '</communicationMessage?offset=1&limit=100>; rel="next"' in answer.headers["Link"]


def test_links_are_ascii_whatever_the_id() -> None:
    answer = page(
        request("", "/communicationMessage/日本/delivery"), [b"1"], offset=0, limit=1, total=2
    )
    path = "/communicationMessage/%E6%97%A5%E6%9C%AC/delivery"
    assert f'<{path}?offset=1&limit=1>; rel="next"' in answer.headers["Link"]


def test_no_link_goes_on_from_an_empty_page_though_the_estimated_total_is_higher() -> None:
    answer = page(request("offset=8&limit=4"), [], offset=8, limit=4, total=20_000)
    assert 'rel="next"' not in answer.headers["Link"]


@pytest.mark.parametrize(
    ("raw", "encoded"),
    [
        ("/appUser/a%2Fb/device", "/appUser/a%2Fb/device"),
        ("/appUser/a%2fb/device/?x=1://y", "/appUser/a%2fb/device"),
        ("http://host/appUser/a%2Fb/device?x", "/appUser/a%2Fb/device"),
        ("", "/appUser/a/b/device"),
        ("/elsewhere", "/appUser/a/b/device"),
        ("http://[::1", "/appUser/a/b/device"),
    ],
)
def test_slashes_within_segments_stay_encoded(raw: str, encoded: str) -> None:
    assert encoded_path(raw, "/appUser/a/b/device") == encoded
