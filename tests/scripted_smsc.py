"""An SMSC that does what a test tells it to, on a free port of 127.0.0.1."""

import itertools
import socket
import ssl
import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from channels.smpp.pdu import Command, Inbox, MalformedPdu, Pdu

_PATIENCE = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """The fields of a submit_sm, read by the letter of §4.4.1."""

    service_type: bytes
    source: tuple[int, int, bytes]
    destination: tuple[int, int, bytes]
    esm_class: int
    validity: bytes
    registered_delivery: int
    data_coding: int
    message: bytes
    tlvs: dict[int, bytes]

    @classmethod
    def read(cls, body: bytes) -> "Submitted":
        service_type, _, rest = body.partition(b"\0")
        source, rest = _address(rest)
        destination, rest = _address(rest)
        esm_class, rest = rest[0], rest[3:]
        schedule, _, rest = rest.partition(b"\0")
        assert schedule == b""
        validity, _, rest = rest.partition(b"\0")
        registered, replace, coding, default_id, length = rest[:5]
        assert replace == default_id == 0
        return cls(
            service_type=service_type,
            source=source,
            destination=destination,
            esm_class=esm_class,
            validity=validity,
            registered_delivery=registered,
            data_coding=coding,
            message=rest[5 : 5 + length],
            tlvs=dict(_tlvs(rest[5 + length :])),
        )


def _address(octets: bytes) -> tuple[tuple[int, int, bytes], bytes]:
    digits, _, rest = octets[2:].partition(b"\0")
    return (octets[0], octets[1], digits), rest


def _tlvs(octets: bytes) -> Iterator[tuple[int, bytes]]:
    while octets:
        tag, length = struct.unpack_from(">HH", octets)
        yield tag, octets[4 : 4 + length]
        octets = octets[4 + length :]


def deliver_body(
    text: bytes, *, esm_class: int = 0x04, coding: int = 0, tlvs: dict[int, bytes] | None = None
) -> bytes:
    """A deliver_sm's, from a phone to a short code."""
    tail = b"".join(
        struct.pack(">HH", tag, len(value)) + value for tag, value in (tlvs or {}).items()
    )
    addresses = b"\0\x01\x0146701234567\0\x03\x0072100\0"
    fields = bytes((esm_class, 0, 0)) + b"\0\0" + bytes((0, 0, coding, 0, len(text)))
    return addresses + fields + text + tail


def receipt_text(message_id: str, stat: str = "DELIVRD", err: str = "000") -> bytes:
    """As Appendix B has it."""
    return (
        f"id:{message_id} sub:001 dlvrd:001 submit date:2611211200 done date:2611211201 "
        f"stat:{stat} err:{err} text:Hej"
    ).encode()


class Peer:
    """One connection of an ESME, as the SMSC sees it."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self._sequences = itertools.count(1)
        self.bound: Command | None = None

    def send(self, pdu: Pdu) -> None:
        self.send_octets(pdu.encode())

    def send_octets(self, octets: bytes) -> None:
        with self._lock:
            self._connection.sendall(octets)

    def ask(self, command: Command, body: bytes = b"") -> int:
        """Send a request; its sequence number."""
        sequence = next(self._sequences)
        self.send(Pdu(command, sequence, body=body))
        return sequence

    def hang_up(self) -> None:
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)


@dataclass
class Smsc:
    """A running SMSC: what it was sent, and how it behaves from now on."""

    port: int = 0
    on_bind: Callable[[Peer, Pdu], None] | None = None
    on_submit: Callable[[Peer, Pdu], None] | None = None
    on_enquire: Callable[[Peer, Pdu], None] | None = None
    on_unbind: Callable[[Peer, Pdu], None] | None = None
    submits: list[Submitted] = field(default_factory=list)
    binds: list[tuple[Command, list[bytes]]] = field(default_factory=list)
    peers: list[Peer] = field(default_factory=list)
    answers: list[Pdu] = field(default_factory=list)
    """To what it asked."""
    commands: Counter[int] = field(default_factory=Counter)
    ids: Callable[[int], str] = "{:08d}".format
    connections: int = 0

    def accept(self, peer: Peer, pdu: Pdu) -> str:
        """Answer a submit by an id that is the same for a repeat; which it was."""
        message_id = self._id_of(Submitted.read(pdu.body))
        peer.send(pdu.answer(body=message_id.encode() + b"\0"))
        return message_id

    def refuse(self, status: int) -> None:
        """Answer submits by this status from now on."""
        self.on_submit = lambda peer, pdu: peer.send(pdu.answer(status))

    def receipt(self, message_id: str, stat: str = "DELIVRD", **fields: str) -> int:
        """Send a receipt to the newest ESME; its sequence number."""
        body = deliver_body(receipt_text(message_id, stat, **fields))
        return self.peers[-1].ask(Command.DELIVER_SM, body)

    def answer_to(self, sequence: int) -> Pdu | None:
        return next((pdu for pdu in self.answers if pdu.sequence == sequence), None)

    def _id_of(self, submitted: Submitted) -> str:
        known = [one.tlvs.get(0x0204, b"") + one.message for one in self.submits]
        return self.ids(known.index(submitted.tlvs.get(0x0204, b"") + submitted.message) + 1)

    def serve(self, connection: socket.socket) -> None:
        peer, inbox = Peer(connection), Inbox()
        connection.settimeout(_PATIENCE)
        with suppress(OSError, MalformedPdu), connection:
            while octets := connection.recv(65536):
                for pdu in inbox.feed(octets):
                    self._take(peer, pdu)
        peer.bound = None

    def _take(self, peer: Peer, pdu: Pdu) -> None:
        self.commands[pdu.command] += 1
        if pdu.is_response:
            self.answers.append(pdu)
        elif pdu.command == Command.SUBMIT_SM:
            self.submits.append(Submitted.read(pdu.body))
            (self.on_submit or self.accept)(peer, pdu)
        elif pdu.command == Command.ENQUIRE_LINK:
            (self.on_enquire or _answer)(peer, pdu)
        elif pdu.command == Command.UNBIND:
            (self.on_unbind or _answer)(peer, pdu)
        else:
            self.binds.append((Command(pdu.command), pdu.body.split(b"\0")))
            (self.on_bind or self.bind)(peer, pdu)

    def bind(self, peer: Peer, pdu: Pdu) -> None:
        peer.bound = Command(pdu.command)
        peer.send(pdu.answer(body=b"smsc\0"))
        self.peers.append(peer)


def _answer(peer: Peer, pdu: Pdu) -> None:
    peer.send(pdu.answer())


@contextmanager
def running_smsc(context: ssl.SSLContext | None = None) -> Iterator[Smsc]:
    """An SMSC; with a context it speaks TLS."""
    smsc = Smsc()
    connections: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def serve(accepted: socket.socket) -> None:
        with suppress(OSError):
            smsc.serve(context.wrap_socket(accepted, server_side=True) if context else accepted)
        accepted.close()

    def listen() -> None:
        with suppress(OSError):
            while True:
                accepted, _ = listener.accept()
                smsc.connections += 1
                accepted.settimeout(_PATIENCE)
                accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connections.append(accepted)
                threads.append(threading.Thread(target=serve, args=(accepted,), daemon=True))
                threads[-1].start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        smsc.port = listener.getsockname()[1]
        acceptor = threading.Thread(target=listen, daemon=True)
        acceptor.start()
        yield smsc
        listener.shutdown(socket.SHUT_RDWR)
    acceptor.join()
    for peer in smsc.peers:
        peer.hang_up()
    for connection in connections:
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
    for thread in threads:
        thread.join()
