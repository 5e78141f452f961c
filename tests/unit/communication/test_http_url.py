"""What a URL must be before anything is sent to it."""

import pytest

from communication.errors import Refused
from communication.http.client import HttpClient
from communication.http.url import parse_url


@pytest.mark.parametrize(
    ("url", "host_header", "path"),
    [
        ("http://example.com", "example.com", "/"),
        ("https://Example.com:443/A%2fb?x=%41&y#part", "example.com", "/A%2fb?x=%41&y"),
        ("http://example.com:8080?x", "example.com:8080", "/?x"),
        ("http://[2001:DB8::1]:81/", "[2001:db8::1]:81", "/"),
        ("http://bücher.example/å", "xn--bcher-kva.example", "/%C3%A5"),
        ("http://example.com.:81/", "example.com:81", "/"),
        ("http://0x08.8.2056/", "8.8.8.8", "/"),
        ("http://example.com/../a//b", "example.com", "/../a//b"),
    ],
)
def test_a_request_goes_to_exactly_the_url(url: str, host_header: str, path: str) -> None:
    target = parse_url(url)
    assert (target.origin.host_header, target.path) == (host_header, path)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com",
        "//example.com",
        "ftp://example.com/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:6379/_INFO",
        "http:///x",
        "http://:80/",
        "http://user@example.com/",
        "http://user:secret@example.com/",
        "http://127.0.0.1:80@example.com/",
        "http://example.com:0/",
        "http://example.com:65536/",
        "http://example.com:http/",
        "http://[::1/",
        "http://[fe80::1%25eth0]/",
        "http://[v1.x]/",
        "http://exa mple.com/",
        "http://example.com\\@127.0.0.1/",
        "http://example.com/\r\nX-Injected: 1",
        "http://example.com/\n",
        "http://example.com/\x00",
        "http://example.com/\u2028",
        "http://%31%32%37.0.0.1/",
        "http://exam%70le.com/",
        "http://a..b/",
        f"http://{'a' * 64}.example/",
        f"http://{'a.' * 126}ab/",
        "http://127.0.0.256/",
        "http://1.2.3.4.5/",
        "http://0x/",
        "http://example.com../",
        "http://-a.example/",
        "http://ex\u200bample.com\u2024/",
        "http://example.com/" + "a" * 3000,
    ],
)
def test_any_other_url_is_refused(url: str) -> None:
    with pytest.raises(Refused):
        parse_url(url)


@pytest.mark.parametrize(
    "headers",
    [
        {"X-A": "1\r\nX-B: 2"},
        {"X-A": "1\n X-B: 2"},
        {"X-A": "1\r 2"},
        {"X-A": "\0"},
        {"X-A": "☃"},
        {"X-A\r\nX-B": "1"},
        {"X A": "1"},
        {"": "1"},
    ],
)
def test_headers_cannot_smuggle_other_headers(headers: dict[str, str]) -> None:
    with pytest.raises(Refused):
        HttpClient(None).request("GET", "http://127.0.0.1:9/", headers=headers)


def test_a_method_cannot_smuggle_a_request() -> None:
    with pytest.raises(Refused):
        HttpClient(None).request("GET / HTTP/1.1\r\nX: ", "http://127.0.0.1:9/")
