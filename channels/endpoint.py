"""The servers that channels connect to: what URLs say of them, and how long they have."""

import socket
import ssl
import time
from dataclasses import dataclass
from typing import Self

from communication.channel_url import ChannelUrl, Parameters


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment of the monotonic clock."""

    at: float

    @classmethod
    def after(cls, seconds: float) -> Self:
        """That many seconds from now."""
        return cls(time.monotonic() + seconds)

    def sooner(self, seconds: float) -> "Deadline":
        """The same, or so many seconds from now if that is sooner."""
        return Deadline(min(self.at, time.monotonic() + seconds))

    def left(self) -> float:
        """Seconds until then, more than zero; TimeoutError if it is past."""
        seconds = self.at - time.monotonic()
        if seconds <= 0:
            raise TimeoutError
        return seconds


def host_of(url: ChannelUrl) -> str:
    """The URL's host. SettingsError if it is missing or can't be a name."""
    try:
        if url.host and url.host.encode("idna"):
            return url.host
    except UnicodeError as error:
        raise url.fault("the host is no valid name") from error
    raise url.fault("a host is missing")


def in_url(host: str) -> str:
    """The host as it stands in a URL."""
    return f"[{host}]" if ":" in host else host


def tls_context(url: ChannelUrl, parameters: Parameters) -> ssl.SSLContext:
    """From `cafile=/path` (whom to trust, in place of the system) and `verify=no`."""
    cafile = parameters.text("cafile", "") or None
    try:
        context = ssl.create_default_context(cafile=cafile)
    except OSError as error:
        raise url.fault(f"cafile={cafile} can't be used: {error.strerror or error}") from error
    if not parameters.flag("verify", default=True):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def connect(host: str, port: int, deadline: Deadline, each: float) -> socket.socket:
    """A TCP connection to the first of the host's addresses that takes one.

    Each address is given `each` seconds at most. OSError of the last one tried.
    """
    failure: OSError = OSError("the name has no address")
    for family, kind, protocol, _, address in socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM
    ):
        attempt = socket.socket(family, kind, protocol)
        try:
            attempt.settimeout(deadline.sooner(each).left())
            attempt.connect(address)
        except OSError as error:
            attempt.close()
            failure = error
        else:
            return attempt
    raise failure
