"""What has been tried on APIs like this one: none of it works, and none of it is our fault."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from falcon import testing

from communication.encoding import to_json
from communication.store import Store, open_store, upgrade
from tests.api import MESSAGES, client
from tests.issuer import Issuer

ISSUER = Issuer()
SMS = {"type": "SMS", "content": "Hello", "receiver": [{"phoneNumber": "+46701234567"}]}
KEYS = {
    "p256dh": "BNcRdreALRFXTkOOUHK1EtK2wtaz5Ry4YfYCA_0QTpQ"
    "tUbVlUls0VJXg7A8u-Ts1XbjhazAkj7I99e8QcYP7DkM",
    "auth": "tBHItJI5svbpez7KI4CCXg",
}
INSIDE = [
    "127.0.0.1",
    "127.0.0.1:22",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "127.0.0.1.",
    "0",
    "0.0.0.0",
    "localhost",
    "localhost.",
    "LOCALHOST:8080",
    "a.localhost",
    "[::1]",
    "[::]",
    "[0:0:0:0:0:0:0:1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::1]",
    "[2002:7f00:1::]",
    "[2001:0:7f00:1::]",
    "[fe80::1]",
    "[fe80::1%25eth0]",
    "[fd00:ec2::254]",
    "[ff02::1]",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.0.1",
    "100.64.0.1",
    "169.254.169.254",
    "169.254.169.254:80",
    "0xa9fea9fe",
    "2852039166",
    "metadata.google.internal",
    "100.100.100.200",
    "192.0.0.192",
    "168.63.129.16",
    "224.0.0.1",
    "255.255.255.255",
    "①②⑦.⓪.⓪.①",
    "127。0。0。1",
    "redis",
    "postgres:5432",
]


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[testing.TestClient]:
    folder: Path = tmp_path_factory.mktemp("attacks")
    url = f"sqlite:///{folder}/tidings.db"
    upgrade(url)
    store: Store
    with closing(open_store(url)) as store:
        keys = ISSUER.publish(folder / "jwks.json")
        made = client(store, jwks=str(keys), rate_per_client="", rate_per_tenant="")
        yield made


@pytest.mark.parametrize("host", INSIDE)
def test_nothing_inside_can_be_named(api: testing.TestClient, host: str) -> None:
    headers = ISSUER.bearer()
    for url in (f"http://{host}/", f"https://{host}/latest/meta-data/"):
        answer = api.simulate_post("/hub", json={"callback": url}, headers=headers)
        assert (answer.status_code, answer.json["code"]) == (400, 24), answer.text
        assert answer.json["message"].startswith("callback: ")
        browser = {"platform": "webpush", "subscription": {"endpoint": url, "keys": KEYS}}
        answer = api.simulate_put("/appUser/ann/device/web", json=browser, headers=headers)
        assert answer.status_code == 400, answer.text


@pytest.mark.parametrize(
    "url",
    [
        "http://user:password@8.8.8.8/",
        "http://8.8.8.8@127.0.0.1/",
        "http://127.0.0.1#@8.8.8.8/",
        "http://8.8.8.8\\@127.0.0.1/",
        "http:127.0.0.1/",
        "http:/127.0.0.1/",
        "http:///127.0.0.1/",
        "//127.0.0.1/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:6379/_FLUSHALL",
        "dict://127.0.0.1:11211/",
        "ftp://8.8.8.8/",
        "jar:http://8.8.8.8!/",
        "javascript:alert(1)",
        "http://8.8.8.8/\r\nX-Injected: 1",
        "http://8.8.8.8/ HTTP/1.1\r\nHost: x",
        "http://8.8.8.8:0/",
        "http://8.8.8.8:99999/",
        "http://8.8.8.8:-1/",
        "http://[::1/",
        "http://%6c%6f%63alhost/",
        "",
        " ",
    ],
)
def test_nothing_but_plain_urls_can_be_named(api: testing.TestClient, url: str) -> None:
    answer = api.simulate_post("/hub", json={"callback": url}, headers=ISSUER.bearer())
    assert (answer.status_code, answer.json["code"]) == (400, 24), answer.text


@pytest.mark.parametrize(
    "text",
    [
        "{{7*7}}",
        "{% for x in ().__class__.__base__.__subclasses__() %}{{x}}{% endfor %}",
        "{{config}}",
        "${7*7}",
        "#{7*7}",
        "<%= 7*7 %>",
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "%s%s%s%n",
    ],
)
def test_inline_texts_are_never_templates(api: testing.TestClient, text: str) -> None:
    answer = api.simulate_post(MESSAGES, json={**SMS, "content": text}, headers=ISSUER.bearer())
    assert answer.status_code == 201, answer.text
    assert answer.json["content"] == text


@pytest.mark.parametrize(
    "change",
    [
        {"id": "../../etc/passwd"},
        {"id": "a/b"},
        {"id": "a\r\nX: 1"},
        {"template": "../../etc/passwd"},
        {"template": "/etc/passwd"},
        {"locale": "../../.."},
        {"attachment": [{"path": "../../etc/passwd"}]},
        {"attachment": [{"path": "a\\..\\b"}]},
        {"attachment": [{"path": "a\0b"}]},
        {"attachment": [{"url": "file:///etc/passwd"}]},
        {"attachment": [{"url": "http://a@b/"}]},
        {"attachment": [{"url": "http://x/\r\nA: b"}]},
        {"attachment": [{"content": "aGk=", "mimeType": "text/plain\r\nX: 1"}]},
        {"priority": 1e400},
        {"priority": -1},
        {"tryTimes": 10**30},
        {"receiver": [{"phoneNumber": "+46701234567; DROP TABLE receiver"}]},
        {"receiver": {"phoneNumber": "+46701234567"}},
        {"sendTime": "9999-12-31T23:59:59+14:00"},
        {"sendTime": "0001-01-01T00:00:00-14:00"},
    ],
)
def test_fields_that_lead_astray_are_refused(
    api: testing.TestClient, change: dict[str, object]
) -> None:
    answer = api.simulate_post(MESSAGES, json={**SMS, **change}, headers=ISSUER.bearer())
    assert answer.status_code == 400, answer.text


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Idempotency-Key", "a" * 256),
        ("Idempotency-Key", "ä"),
        ("X-TWC-Tenant", "b"),
        ("X-TWC-Tenant", ""),
        ("Content-Type", "application/xml"),
        ("Content-Type", "application/json; charset=utf-16"),
        ("Content-Encoding", "gzip"),
    ],
)
def test_headers_that_lead_astray_are_refused(
    api: testing.TestClient, name: str, value: str
) -> None:
    headers = ISSUER.bearer() | {"Content-Type": "application/json", name: value}
    answer = api.simulate_post(MESSAGES, body=to_json(SMS), headers=headers)
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.json["code"] in (22, 25, 26, 50)


@pytest.mark.parametrize(
    "query",
    [
        "subject.regex=(a%2B)%2B$",
        "subject.regex=" + "(" * 500,
        "id=' OR 1=1 --",
        "sort=id;DROP TABLE receiver",
        "fields=__class__.__init__",
        "limit=999999999999999999999",
        "offset=-1",
        "%00=1",
        "a[b]=c&a[b]=d",
        "receiver.email=%FF",
        "&".join(f"a{n}=1" for n in range(500)),
        ".".join("a" * 200) + "=1",
    ],
)
def test_queries_that_lead_astray_are_answered(api: testing.TestClient, query: str) -> None:
    answer = api.simulate_get(MESSAGES, query_string=query, headers=ISSUER.bearer())
    assert answer.status_code in (200, 206, 400), answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/communicationMessage/..%2F..%2Fetc%2Fpasswd",
        "/communicationMessage/%00",
        "/communicationMessage/%FF",
        "/communicationMessage/" + "a" * 5000,
        "/hub/%0D%0ASet-Cookie:%20a=b",
        "/externalapi/listener/v1/listener/%2e%2e%2f",
        "/api/2.3.1/orders/%00",
        "/api/2.3.1/orders/" + "%2F" * 500,
        "/notification/v1/subscriptions/%F0%9F%92%A9/notifications",
        "/appUser/%00/device",
        "//etc/passwd",
        "/docs/../../etc/passwd",
    ],
)
def test_paths_that_lead_astray_are_answered(api: testing.TestClient, path: str) -> None:
    answer = api.simulate_get(path, headers=ISSUER.bearer())
    assert answer.status_code in (400, 404), answer.text
    assert "set-cookie" not in answer.headers
