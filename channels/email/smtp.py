"""`smtp://`, `smtps://` and `smtp+starttls://`: email through an SMTP server."""

import re
import socket
import time
from typing import Literal, Self

import structlog

from channels.addresses import address_of
from channels.base import Environment, Outbound, Receiver, Sender
from channels.email.email_message import Mail, build_mail
from channels.email.mail_policy import MailPolicy
from channels.email.smtp_connection import Server, SmtpConnection
from channels.email.smtp_errors import ConnectionLost, NotNow
from channels.email.smtp_pool import SmtpPool
from channels.email.smtp_wire import Reply
from channels.endpoint import Deadline, host_of, in_url, tls_context
from channels.errors import ConfigurationFault, RateReached
from communication.channel_url import ChannelUrl, Parameters
from communication.errors import DeliveryError

log = structlog.get_logger(part="channels.email.smtp")

_SCHEMES: dict[str, tuple[int, Literal["none", "tls", "starttls"]]] = {
    "smtp": (25, "none"),
    "smtps": (465, "tls"),
    "smtp+starttls": (587, "starttls"),
}
_QUEUE_IDS = (
    re.compile(r"queued as <?([\w.@+/-]+)", re.IGNORECASE),  # Postfix and many after it
    re.compile(r"\bid=([\w-]+)"),  # Exim
    re.compile(r"2\.0\.0 (\w+) Message accepted"),  # Sendmail
    re.compile(r"^250 Ok ([0-9a-f-]{40,})$", re.IGNORECASE),  # Amazon SES
)
_EHLO_NAME = re.compile(r"[A-Za-z0-9._:\[\]-]{1,255}")
_CONCURRENCY = 8
_TIMEOUT = 10.0
_IDLE = 30.0
_NOT_NOW_WAIT = 1.0
"""Seconds until a mail comes again for which the server had no connection."""
_FAULT_MEMORY = 10.0
"""Seconds for which a server that refuses us is left alone: else each mail would try the wrong
password again, and the account would be locked."""


class SmtpChannel:
    """Hands each mail to one server, over connections that are kept."""

    def __init__(
        self,
        server: Server,
        default_sender: Sender,
        *,
        send_timeout: float,
        mail: MailPolicy | None = None,
        concurrency: int = _CONCURRENCY,
        idle: float = _IDLE,
    ) -> None:
        self.provider = server.name
        self.account = server.user or ""
        self.concurrency = concurrency
        self._server = server
        self._default_sender = default_sender
        self._mail = mail or MailPolicy()
        self._send_timeout = send_timeout
        self._pool = SmtpPool(concurrency, idle)
        self._fault = ""
        self._fault_until = 0.0

    @classmethod
    def open(cls, url: ChannelUrl, environment: Environment) -> Self:
        """From `smtp://user:password@host:port?timeout=10s&concurrency=8&idle=30s&ehlo=name`.

        Beside them `cafile=/path` (whom to trust, in place of the system) and `verify=no`.
        """
        if environment.medium != "email":
            raise url.fault("sends email only")
        parameters = Parameters(url)
        server = _server(url, parameters)
        concurrency = parameters.count("concurrency", _CONCURRENCY)
        idle = parameters.duration("idle", _IDLE, least=1.0)
        parameters.end()
        return cls(
            server,
            environment.default_sender,
            send_timeout=environment.send_timeout,
            mail=environment.mail,
            concurrency=concurrency,
            idle=idle,
        )

    def address(self, receiver: Receiver) -> str:
        """The receiver's email address."""
        return address_of(receiver, "email")

    def send(self, outbound: Outbound) -> str:
        """The server's queue id if it told one, else the Message-ID.

        The reason of a refusal is the server's reply. OutcomeUnknown if the whole mail was
        handed over and no answer came.
        """
        mail = build_mail(outbound, self._default_sender, self._mail)
        deadline = Deadline.after(self._send_timeout)
        with self._pool.slot(deadline):
            connection = self._begin(mail, deadline)
            try:
                reply = connection.finish(mail)
            finally:
                self._pool.put(connection)
        return _queue_id(reply) or mail.message_id

    def close(self) -> None:
        """Close idle connections now and others after their mail; then nothing is sent."""
        self._pool.close()

    def _begin(self, mail: Mail, deadline: Deadline) -> SmtpConnection:
        """A connection that has accepted the mail's sender.

        A kept one may have died while it idled; then nothing was sent yet, and a new one
        takes its place, once.
        """
        kept = self._pool.take()
        if kept is not None:
            try:
                return self._begin_on(kept, mail, deadline)
            except ConnectionLost:
                log.debug("idle smtp connection was dead", provider=self.provider)
        return self._begin_on(self._connect(deadline), mail, deadline)

    def _begin_on(
        self, connection: SmtpConnection, mail: Mail, deadline: Deadline
    ) -> SmtpConnection:
        try:
            connection.begin(mail, deadline)
        except DeliveryError:
            self._pool.put(connection)
            raise
        return connection

    def _connect(self, deadline: Deadline) -> SmtpConnection:
        if time.monotonic() < self._fault_until:
            raise ConfigurationFault(self._fault, retry_after=_FAULT_MEMORY)
        try:
            return SmtpConnection.open(self._server, deadline)
        except NotNow as error:
            if not self._pool.others:
                raise
            # It serves the others: what is too many is connections, not messages.
            raise RateReached(error.reason, retry_after=_NOT_NOW_WAIT) from error
        except ConfigurationFault as fault:
            self._fault, self._fault_until = fault.reason, time.monotonic() + _FAULT_MEMORY
            # Its reason says it all; no traceback.
            log.error(  # noqa: TRY400
                "smtp server refuses us", provider=self.provider, reason=fault.reason
            )
            raise


def _queue_id(reply: Reply) -> str | None:
    reason = reply.reason
    found = (pattern.search(reason) for pattern in _QUEUE_IDS)
    return next((match[1].rstrip(".") for match in found if match), None)


def _server(url: ChannelUrl, parameters: Parameters) -> Server:
    port, security = _SCHEMES[url.scheme]
    if (url.user is None) != (url.password is None):
        raise url.fault("a login needs both: user:password@host")
    if url.path.strip("/"):
        raise url.fault("takes no path")
    host, port = host_of(url), url.port or port
    return Server(
        name=f"{url.scheme}://{in_url(host)}:{port}",
        host=host,
        port=port,
        security=security,
        context=tls_context(url, parameters),
        user=url.user,
        password=url.password,
        ehlo=_ehlo_name(url, parameters),
        timeout=parameters.duration("timeout", _TIMEOUT, least=0.001),
    )


def _ehlo_name(url: ChannelUrl, parameters: Parameters) -> str | None:
    """The name given, else this host's if it is a full one. None: the IP address stands in."""
    given = parameters.text("ehlo", "")
    if given and not _EHLO_NAME.fullmatch(given):
        raise url.fault("ehlo must be a host name")
    name = given or socket.gethostname()
    return name if given or ("." in name and _EHLO_NAME.fullmatch(name)) else None
