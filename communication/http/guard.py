"""Where URLs that clients name may lead: the public internet, and what the operator allows."""

import re
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from queue import Empty, SimpleQueue
from threading import BoundedSemaphore, Thread
from typing import Self

from communication.errors import ConnectionFailed, Refused, TimedOut
from communication.http.addresses import Address, Network, contains, parse_networks, special_kind
from communication.http.url import Origin, parse_url

_LOOK_UPS = BoundedSemaphore(64)
"""A name server that never answers holds one of them, not the threads that send."""
_REGISTRATION_PATIENCE = 2.0
_MOST_ADDRESSES = 8
_PRIVATE_NAME = re.compile(
    r"[^.]+|.*\.(internal|intranet|private|corp|home|lan|local|localdomain|svc|consul|home\.arpa)"
)


@dataclass(frozen=True, slots=True)
class Guard:
    """Lets a connection go to public addresses, and to those of `allow`.

    Addresses are vetted as the resolver gives them, in the connector, which then connects to
    what was vetted: neither another spelling nor a second look-up leads elsewhere.
    """

    allow: tuple[Network, ...] = ()

    @classmethod
    def of(cls, allow: str) -> Self:
        """A guard that allows the CIDRs of a comma-separated list too."""
        return cls(parse_networks(allow))

    def check(self, url: str) -> None:
        """Refused, saying why, if requests to this URL would be refused as its name resolves now.

        A public name that can't be resolved now passes: every connection vets anew.
        """
        origin = parse_url(url).origin
        deadline = time.monotonic() + _REGISTRATION_PATIENCE
        try:
            addresses = resolve(origin, deadline)
        except (ConnectionFailed, TimedOut) as error:
            if _PRIVATE_NAME.fullmatch(origin.host):
                raise Refused(f"{origin.host} is refused: no public name") from error
            return
        self.vet(origin, addresses)

    def check_as_written(self, url: str) -> None:
        """Refused, saying why, if a URL itself shows an address that may not be connected to.

        Nothing is looked up: names pass, but for those of this machine.
        """
        origin = parse_url(url).origin
        host = "127.0.0.1" if _is_this_machine(origin.host) else origin.host
        if _written_address(host) is not None:
            self.vet(origin, [host])

    def vet(self, origin: Origin, addresses: Sequence[str]) -> None:
        """Refused unless every address may be connected to."""
        for text in addresses:
            address = ip_address(text)
            kind = special_kind(address)
            if kind and not contains(self.allow, address):
                raise Refused(_why(origin, address, kind))


def resolve(origin: Origin, deadline: float) -> list[str]:
    """The addresses of a host, numeric, without a zone; by the monotonic deadline.

    ConnectionFailed when there are none, TimedOut when the resolver takes too long.
    """
    if not _LOOK_UPS.acquire(timeout=max(0.0, deadline - time.monotonic())):
        raise TimedOut(f"too many look-ups wait; {origin.host} was not looked up", sent=False)
    results: SimpleQueue[list[str] | OSError] = SimpleQueue()
    Thread(target=_look_up, args=(origin, results), daemon=True, name="look-up").start()
    try:
        found = results.get(timeout=max(0.0, deadline - time.monotonic()))
    except Empty:
        raise TimedOut(f"{origin.host} could not be looked up in time", sent=False) from None
    if isinstance(found, OSError):
        raise ConnectionFailed(f"{origin.host} has no address", sent=False) from found
    return found


def _look_up(origin: Origin, results: "SimpleQueue[list[str] | OSError]") -> None:
    try:
        host = "localhost" if _is_this_machine(origin.host) else origin.host
        found = socket.getaddrinfo(host, origin.port, type=socket.SOCK_STREAM)
        unique = dict.fromkeys(str(address[0]).partition("%")[0] for *_, address in found)
        results.put(list(unique)[:_MOST_ADDRESSES])
    except OSError as error:
        results.put(error)
    except UnicodeError as error:  # a label that is too long for the resolver
        results.put(OSError(str(error)))
    finally:
        _LOOK_UPS.release()


def _is_this_machine(host: str) -> bool:
    """RFC 6761 §6.3: all names below `localhost` are, whatever a name server says."""
    return host == "localhost" or host.endswith(".localhost")


def _written_address(host: str) -> Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _why(origin: Origin, address: Address, kind: str) -> str:
    # Which address a name inside has is nothing that a client is to learn.
    is_itself = _written_address(origin.host) == address
    article = "an" if kind[0] in "aeiouI" else "a"
    leads = "" if is_itself else "it leads to "
    return f"{origin.host} is refused: {leads}{article} {kind} address, not a public one"
