"""Which internet addresses are public: what a URL that a client names may lead to.

After IANA's registries of special-purpose addresses (RFC 6890), written out so that what is
refused does not depend on the version of Python.
"""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_IPV6_PUBLIC = IPv6Network("2000::/3")
_KINDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("loopback", ("127.0.0.0/8", "::1/128")),
    ("unspecified", ("0.0.0.0/8", "::/128")),
    ("private", ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fec0::/10")),
    ("link-local", ("169.254.0.0/16", "fe80::/10")),
    ("carrier-grade NAT", ("100.64.0.0/10",)),
    ("cloud metadata", ("168.63.129.16/32",)),  # Azure's; the others' are link-local or private
    ("multicast", ("224.0.0.0/4", "ff00::/8")),
    ("IPv4 in IPv6", ("::ffff:0:0/96", "::ffff:0:0:0/96", "::/96")),
    ("NAT64", ("64:ff9b::/96", "64:ff9b:1::/48")),
    ("Teredo", ("2001::/32",)),
    ("6to4", ("2002::/16", "192.88.99.0/24")),
    ("documentation", ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32",
                       "3fff::/20")),
    ("reserved", ("192.0.0.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.175.48.0/24",
                  "198.18.0.0/15", "240.0.0.0/4", "2001::/23", "2620:4f:8000::/48")),
)  # fmt: skip
_SPECIAL = [(kind, ip_network(text)) for kind, texts in _KINDS for text in texts]


def special_kind(address: Address) -> str | None:
    """What an address is instead of public, in a word or two; None for a public one."""
    for kind, network in _SPECIAL:
        if address in network:
            return kind
    if isinstance(address, IPv6Address) and address not in _IPV6_PUBLIC:
        return "reserved"
    return None


def parse_networks(text: str) -> tuple[Network, ...]:
    """CIDRs by comma. ValueError names a bad one."""
    return tuple(ip_network(one.strip()) for one in text.split(",") if one.strip())


def contains(networks: Iterable[Network], address: Address) -> bool:
    """Whether one of the networks has the address."""
    return any(address in network for network in networks)
