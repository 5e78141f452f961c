"""One conversation with an SMTP server (RFC 5321; 1870 SIZE, 2920, 3207, 4954, 6531)."""

import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Literal, Self

from channels.email.email_message import Mail
from channels.email.smtp_errors import FAULT_WAIT, ConnectionLost, in_words, refusal, unwelcome
from channels.email.smtp_wire import CHUNK, Reply, Wire, address_literal, in_base64
from channels.endpoint import Deadline, connect
from channels.errors import ConfigurationFault, OutcomeUnknown, ReceiverBusy
from communication.errors import DeliveryError, PermanentDeliveryError, TransientDeliveryError

_RECIPIENT_BUSY = frozenset({450, 451, 452})
_SAY_ON = 334
_GO_AHEAD = 354
_GOODBYE_TIME = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Where and how to connect. `timeout` is for connecting and for each command, in seconds."""

    name: str
    """Its URL without secrets."""
    host: str
    port: int
    security: Literal["none", "tls", "starttls"]
    context: ssl.SSLContext = field(repr=False)
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    ehlo: str | None = None
    timeout: float = 10.0


class SmtpConnection:
    """Used by one thread at a time. It is closed after any error that isn't a refusal."""

    def __init__(self, server: Server, wire: Wire, deadline: Deadline) -> None:
        self.closed = False
        self.idle_since = 0.0
        self._server = server
        self._wire = wire
        self._deadline = deadline
        self._unfinished = False
        self._ahead: list[Reply] = []
        self._extensions: dict[str, str] = {}

    @classmethod
    def open(cls, server: Server, deadline: Deadline) -> Self:
        """Connected, encrypted and logged in as the server's settings say.

        TransientDeliveryError if that fails, ConfigurationFault where trying again won't mend it.
        """
        try:
            raw = connect(server.host, server.port, deadline, server.timeout)
            connection = cls(server, Wire(raw, deadline), deadline)
        except OSError as error:
            raise in_words(error, "connecting") from error
        try:
            connection._introduce()
        except DeliveryError:
            connection.abandon()
            raise
        return connection

    def begin(self, mail: Mail, deadline: Deadline) -> None:
        """Have the server accept the sender. After ConnectionLost nothing was accepted."""
        self._deadline = deadline
        if self._unfinished:
            self._reset()
        sender = f"MAIL FROM:<{mail.sender}>{self._mail_parameters(mail)}"
        self._unfinished = True
        if "PIPELINING" in self._extensions:
            first, *self._ahead = self._exchange_all(sender, _recipient(mail), "DATA")
        else:
            first = self._command(sender)
        self._accept(first)

    def finish(self, mail: Mail) -> Reply:
        """Hand over the mail that was begun: the server's last reply.

        PermanentDeliveryError or TransientDeliveryError as the server refuses it;
        OutcomeUnknown if no answer came to the whole mail.
        """
        if self._ahead:
            self._accept_ahead(*self._ahead)
        else:
            self._accept_recipient(self._command(_recipient(mail)))
            self._accept(self._command("DATA"), wanted=_GO_AHEAD)
        reply = self._hand_over(mail.content)
        self._unfinished = False
        self._accept(reply)
        return reply

    def close(self) -> None:
        """Say goodbye, without waiting for an answer."""
        if not self.closed:
            # The server may be gone already; there is nothing left to lose.
            with suppress(OSError):
                self._wire.deadline = Deadline.after(_GOODBYE_TIME)
                self._wire.write(b"QUIT\r\n")
            self.abandon()

    def abandon(self) -> None:
        """Close it without a word."""
        self.closed = True
        self._wire.close()

    def _introduce(self) -> None:
        if self._server.security == "tls":
            self._encrypt()
        self._welcome(self._read("the greeting"))
        self._say_hello()
        if self._needs_starttls():
            self._start_tls()
        if self._server.user is not None:
            self._log_in()

    def _needs_starttls(self) -> bool:
        """As the URL says; and where it can be had, so that no password goes in the clear."""
        wanted = self._server.security == "starttls"
        possible = self._server.security == "none" and "STARTTLS" in self._extensions
        return wanted or (possible and self._server.user is not None)

    def _start_tls(self) -> None:
        if "STARTTLS" not in self._extensions:
            raise ConfigurationFault("the server does not offer STARTTLS", retry_after=FAULT_WAIT)
        self._welcome(self._command("STARTTLS"))
        self._encrypt()
        self._say_hello()

    def _encrypt(self) -> None:
        with _Stage(self, "the TLS handshake"):
            self._wire.deadline = self._deadline.sooner(self._server.timeout)
            self._wire.start_tls(self._server.context, self._server.host)

    def _say_hello(self) -> None:
        name = self._server.ehlo or address_literal(self._wire.own_address)
        reply = self._command(f"EHLO {name}")
        if reply.code >= 500:  # noqa: PLR2004  # a server from before EHLO (RFC 5321 §3.2)
            reply = self._command(f"HELO {name}")
        self._welcome(reply)
        # "AUTH=" is how servers announced it before RFC 4954.
        lines = [line.replace("AUTH=", "AUTH ") for line in reply.lines[1:]]
        self._extensions = {
            name.upper(): rest for name, _, rest in (x.partition(" ") for x in lines)
        }

    def _log_in(self) -> None:
        user, password = self._server.user or "", self._server.password or ""
        offered = self._extensions.get("AUTH", "").upper().split()
        if "PLAIN" in offered:
            reply = self._secret("AUTH PLAIN " + in_base64(f"\0{user}\0{password}"))
        elif "LOGIN" in offered:
            reply = self._secret("AUTH LOGIN", in_base64(user), in_base64(password))
        else:
            message = "the server offers no login that we know (PLAIN, LOGIN)"
            raise ConfigurationFault(message, retry_after=FAULT_WAIT)
        self._welcome(reply, "the login was refused: ")

    def _secret(self, first: str, *answers: str) -> Reply:
        """The reply that ends a login's dialog, without its text, which may repeat secrets."""
        reply = self._exchange(first, "AUTH").without_text()
        for line in answers:
            if reply.code != _SAY_ON:
                break
            reply = self._exchange(line, "AUTH").without_text()
        return reply

    def _reset(self) -> None:
        self._ahead = []
        reply = self._command("RSET")
        if reply.code // 100 != 2:  # noqa: PLR2004
            self.abandon()
            raise ConnectionLost(reply.reason)
        self._unfinished = False

    def _mail_parameters(self, mail: Mail) -> str:
        size, limit = len(mail.content), self._extensions.get("SIZE", "")
        if limit.isdecimal() and 0 < int(limit) < size:
            message = f"the mail has {size} octets, the server takes {limit}"
            raise PermanentDeliveryError(message)
        parameters = f" SIZE={size}" if "SIZE" in self._extensions else ""
        if not mail.international:
            return parameters
        if "SMTPUTF8" not in self._extensions:
            raise PermanentDeliveryError("the server takes no international addresses (SMTPUTF8)")
        return f"{parameters} BODY=8BITMIME SMTPUTF8"

    def _accept_recipient(self, reply: Reply) -> None:
        if reply.code in _RECIPIENT_BUSY:
            self.abandon()
            raise ReceiverBusy(reply.reason)
        self._accept(reply)

    def _accept_ahead(self, recipient: Reply, data: Reply) -> None:
        """Of commands that went together; a server may take DATA without a recipient."""
        try:
            self._accept_recipient(recipient)
        except DeliveryError:
            if data.code == _GO_AHEAD:
                self.abandon()
            raise
        self._accept(data, wanted=_GO_AHEAD)

    def _hand_over(self, content: bytes) -> Reply:
        """The answer to the mail's content.

        Once its end is on its way the server may have the mail: what goes wrong then is unknown.
        """
        # No line begins the mail with a dot: its first is a header.
        stuffed = content.replace(b"\r\n.", b"\r\n..") + b".\r\n"
        last = (len(stuffed) - 1) // CHUNK * CHUNK
        self._wire.deadline = self._deadline
        if last:
            with _Stage(self, "the mail's content"):
                self._wire.write(stuffed[:last])
        try:
            with _Stage(self, "the server's last answer"):
                self._wire.write(stuffed[last:])
                return self._wire.read_reply()
        except TransientDeliveryError as error:
            raise OutcomeUnknown(f"it may have been taken: {error.reason}") from error

    def _exchange_all(self, *lines: str) -> list[Reply]:
        """The replies to commands that go together (RFC 2920): one round trip for all."""
        replies: list[Reply] = []
        with _Stage(self, "MAIL"):
            self._wire.deadline = self._deadline.sooner(self._server.timeout)
            self._wire.write("".join(f"{line}\r\n" for line in lines).encode())
        for line in lines:
            with _Stage(self, line.partition(" ")[0]):
                self._wire.deadline = self._deadline.sooner(self._server.timeout)
                replies.append(self._wire.read_reply())
        return replies

    def _command(self, line: str) -> Reply:
        return self._exchange(line, line.partition(" ")[0])

    def _exchange(self, line: str, stage: str) -> Reply:
        with _Stage(self, stage):
            self._wire.deadline = self._deadline.sooner(self._server.timeout)
            self._wire.write(f"{line}\r\n".encode())
            return self._wire.read_reply()

    def _read(self, stage: str) -> Reply:
        with _Stage(self, stage):
            self._wire.deadline = self._deadline.sooner(self._server.timeout)
            return self._wire.read_reply()

    def _welcome(self, reply: Reply, before: str = "") -> None:
        """Go on if the server takes us."""
        if reply.code // 100 != 2:  # noqa: PLR2004
            raise unwelcome(reply, before)

    def _accept(self, reply: Reply, wanted: int | None = None) -> None:
        """Go on if the server takes the mail so far; else the error that its reply means."""
        if reply.code == wanted or (wanted is None and reply.code // 100 == 2):  # noqa: PLR2004
            return
        error = refusal(reply)
        if not isinstance(error, (ConfigurationFault, PermanentDeliveryError)):
            # Some servers so end a connection after so many mails: the next mail gets another.
            self.abandon()
        raise error


class _Stage:
    """A part of the conversation. What fails in it ends the connection, and says where it did."""

    __slots__ = ("_connection", "_name")

    def __init__(self, connection: SmtpConnection, name: str) -> None:
        self._connection = connection
        self._name = name

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(error, OSError):
            self._connection.abandon()
            raise in_words(error, self._name) from error
        if isinstance(error, DeliveryError):
            self._connection.abandon()


def _recipient(mail: Mail) -> str:
    return f"RCPT TO:<{mail.recipient}>"
