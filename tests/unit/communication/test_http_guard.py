"""Which addresses a client's URL may lead to."""

from ipaddress import ip_address

import pytest

from communication.errors import Refused
from communication.http.addresses import special_kind
from communication.http.guard import Guard
from communication.http.url import parse_url


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "100.64.0.1",
        "100.100.100.200",
        "127.0.0.1",
        "127.255.255.254",
        "168.63.129.16",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.192",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::8.8.8.8",
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "::ffff:0:127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "2001:db8::1",
        "2001:20::1",
        "2002:7f00:1::",
        "3fff::1",
        "4000::1",
        "5f00::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fec0::1",
        "ff02::1",
    ],
)
def test_special_addresses_are_refused(address: str) -> None:
    assert special_kind(ip_address(address))
    host = f"[{address}]" if ":" in address else address
    for check in (Guard().check, Guard().check_as_written):
        with pytest.raises(Refused, match="refused"):
            check(f"http://{host}/")


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "172.32.0.1", "100.128.0.1", "193.0.0.1", "2606:4700::1111", "2a00::1"]
)
def test_public_addresses_are_allowed(address: str) -> None:
    host = f"[{address}]" if ":" in address else address
    Guard().check(f"https://{host}:8443/")


@pytest.mark.parametrize(
    "host",
    [
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "017700000001",
        "127.1",
        "0",
        "localhost",
        "LOCALHOST",
        "localhost.",
        "db.localhost",
        "127.0.0.1.",
        "[::]",
        "[0:0:0:0:0:0:0:1]",
        "[::ffff:7f00:1]",
        "①②⑦.⓪.⓪.①",
        "127。0。0。1",
    ],
)
def test_no_spelling_leads_to_this_machine(host: str) -> None:
    for check in (Guard().check, Guard().check_as_written):
        with pytest.raises(Refused, match=r"loopback|unspecified|IPv4 in IPv6"):
            check(f"http://{host}/")


@pytest.mark.parametrize(
    "host", ["redis", "metadata.google.internal", "printer.local", "api.default.svc"]
)
def test_names_that_nobody_knows_may_be_registered_if_they_are_public(host: str) -> None:
    Guard().check("http://nowhere.invalid/")
    with pytest.raises(Refused, match="no public name"):
        Guard().check(f"http://{host}/")


def test_the_operator_may_allow_networks() -> None:
    guard = Guard.of("10.1.0.0/16, ::1/128")
    guard.check("http://10.1.2.3/")
    guard.check("http://[::1]/")
    with pytest.raises(Refused):
        guard.check("http://10.2.0.1/")


@pytest.mark.parametrize(
    ("host", "said"),
    [
        ("0.0.0.0", "0.0.0.0 is refused: an unspecified address, not a public one"),
        ("[::7f00:1]", "::7f00:1 is refused: an IPv4 in IPv6 address, not a public one"),
        ("[0:0:0:0:0:ffff:a00:1]", "refused: an IPv4 in IPv6 address, not a public one"),
        ("10.0.0.1", "10.0.0.1 is refused: a private address, not a public one"),
        ("[64:ff9b:0::a00:1]", "refused: a NAT64 address, not a public one"),
    ],
)
def test_an_address_is_not_said_to_lead_to_itself(host: str, said: str) -> None:
    with pytest.raises(Refused) as caught:
        Guard().check_as_written(f"http://{host}/")
    assert caught.value.reason.endswith(said)


def test_as_written_nothing_is_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def look_up(*_: object, **__: object) -> None:
        pytest.fail("a name server was asked")

    monkeypatch.setattr("socket.getaddrinfo", look_up)
    for host in ("redis", "metadata.google.internal", "localhost.example", "8.8.8.8"):
        Guard().check_as_written(f"http://{host}/")
    Guard.of("127.0.0.0/8").check_as_written("http://localhost/")
    with pytest.raises(Refused, match="localhost is refused: it leads to a loopback"):
        Guard().check_as_written("http://localhost/")


def test_one_forbidden_address_among_many_is_enough() -> None:
    origin = parse_url("http://mixed.example/").origin
    with pytest.raises(Refused, match=r"mixed\.example is refused: it leads to a private"):
        Guard().vet(origin, ["8.8.8.8", "10.0.0.1"])
