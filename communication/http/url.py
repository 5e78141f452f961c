"""URLs as the HTTP client takes them: checked, and split into what a connection needs."""

import re
import socket
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, urlsplit

import idna

from communication.errors import Refused

LONGEST = 2048
_DEFAULT_PORTS = {"http": 80, "https": 443}
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*")
_IPV4 = re.compile(r"(.*\.)?(0x[0-9a-f]*|[0-9]+)")
_AS_WRITTEN = "!#$%&'()*+,/:;=?@[]~"


@dataclass(frozen=True, slots=True, order=True)
class Origin:
    """Where a connection leads.

    `host` is lower-case ASCII without a dot at its end, an IPv4 address in its usual form, an
    IPv6 address without brackets.
    """

    scheme: str
    host: str
    port: int

    @property
    def host_header(self) -> str:
        """The value of the header Host (RFC 9110 §7.2)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Target:
    """A URL's origin, and what of it stands in the request line."""

    origin: Origin
    path: str


def parse_url(url: str) -> Target:
    """An absolute http or https URL. Refused says what is wrong with any other.

    Path and query are kept as they are written, but for letters outside ASCII, which are
    percent-encoded; the fragment is dropped. A user name or password in it is refused.
    """
    if len(url) > LONGEST:
        raise Refused(f"the URL is longer than {LONGEST} characters")
    if not url.isprintable() or " " in url or "\\" in url:
        raise Refused("the URL must not contain spaces, backslashes or control characters")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise Refused("the URL can't be understood: its host or port is wrong") from error
    if parts.scheme not in _DEFAULT_PORTS:
        raise Refused("the URL must begin with http:// or https://")
    if "@" in parts.netloc:
        raise Refused("the URL must not contain a user name or password")
    if port == 0:
        raise Refused("the URL's port must be 1 to 65535")
    origin = Origin(parts.scheme, _host(parts), port or _DEFAULT_PORTS[parts.scheme])
    query = f"?{parts.query}" if parts.query else ""
    return Target(origin, quote(f"{parts.path or '/'}{query}", safe=_AS_WRITTEN))


def _host(parts: SplitResult) -> str:
    host = parts.hostname
    if not host:
        raise Refused("the URL has no host")
    if "[" in parts.netloc:
        return _ipv6(host)
    host = (host if host.isascii() else _ascii(host)).removesuffix(".")
    if not _NAME.fullmatch(host):
        raise Refused("the URL's host is no host name")
    return _ipv4(host) if _IPV4.fullmatch(host) else host


def _ipv6(host: str) -> str:
    try:
        socket.inet_pton(socket.AF_INET6, host)
    except OSError as error:
        raise Refused("the URL's host is no IPv6 address; zones are not understood") from error
    return host


def _ipv4(host: str) -> str:
    """`0x7f.1` and `2130706433` are 127.0.0.1 to every resolver; a last label of digits is none."""
    try:
        return socket.inet_ntoa(socket.inet_aton(host))
    except OSError as error:
        raise Refused("the URL's host is no IPv4 address") from error


def _ascii(host: str) -> str:
    try:
        return idna.encode(host, uts46=True).decode()
    except idna.IDNAError as error:
        raise Refused("the URL's host is no international domain name") from error
