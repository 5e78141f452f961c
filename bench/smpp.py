"""SMS per second through an SMSC, beside what that SMSC can take."""

import socket
import time

from bench.deliver import measure_delivering
from bench.feed import TEXT
from bench.figure import Figure
from bench.stack import Stack
from channels.smpp.pdu import Address, Command, Inbox, Pdu, Submit, bind_body
from tests.foreign_smsc import PASSWORD, SYSTEM_ID, ForeignSmsc

WINDOW = 100
_PATIENCE = 30.0
_BODY = Submit(
    source=Address(),
    destination=Address(b"46701234567", 1, 1),
    message=b"Dear Ann 12345, your parcel is on its way.",
).encode()


def measure_limit(*, submits: int) -> Figure:
    """Submits per second that the SMSC answers, in a window, to a client that only counts."""
    with (
        ForeignSmsc() as smsc,
        socket.create_connection(("127.0.0.1", smsc.port), _PATIENCE) as connection,
    ):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        login = bind_body(SYSTEM_ID.encode(), PASSWORD.encode(), b"")
        connection.sendall(Pdu(Command.BIND_TRANSMITTER, 1, body=login).encode())
        connection.recv(1024)
        began = time.monotonic()
        _exchange(connection, submits)
        return Figure(rate=submits / (time.monotonic() - began))


def _exchange(connection: socket.socket, submits: int) -> None:
    inbox, sent, answered = Inbox(), 0, 0
    while answered < submits:
        room = min(WINDOW - (sent - answered), submits - sent)
        pdus = [Pdu(Command.SUBMIT_SM, sent + n + 2, body=_BODY).encode() for n in range(room)]
        connection.sendall(b"".join(pdus))
        sent += room
        answered += len(inbox.feed(connection.recv(65_536)))


def measure_sms(stack: Stack, *, deliveries: int, receipts: bool, latency: int = 0) -> Figure:
    """Deliveries per second by one worker; `latency`, before each answer, is in milliseconds."""
    with ForeignSmsc(latency=latency) as smsc:
        return measure_delivering(
            stack,
            deliveries=deliveries,
            workers=1,
            each=1,
            document=TEXT,
            channel="sms",
            TIDINGS_SMS_URL=f"{smsc.url}?receipts={'yes' if receipts else 'no'}",
        )
