"""An SMTP server that does what a test tells it to, on a free port of 127.0.0.1."""

import asyncio
import ssl
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Self

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True, slots=True)
class Step:
    """What the server does in place of a command.

    It first waits so many seconds, then answers, then hangs up if told so; without an answer
    and without hanging up the command takes its usual way. `drip` is the seconds between the
    octets of the answer.
    """

    reply: str | None = None
    drop: bool = False
    wait: float = 0.0
    drip: float = 0.0


@dataclass
class Received:
    """One mail as the server took it."""

    content: bytes
    sender: str
    recipients: list[str]
    login: str | None
    encrypted: bool


@dataclass
class Script:
    """Steps by what they answer; each is done once, in order, unless it is `always`.

    The key is a command (`MAIL`), a command and what its argument holds (`RCPT bob@`),
    `CONNECT` for the greeting or `END` for the answer to a whole mail.
    """

    steps: dict[str, list[Step]] = field(default_factory=dict)
    always: dict[str, Step] = field(default_factory=dict)

    def next(self, command: str, argument: str) -> Step | None:
        for key, steps in self.steps.items():
            if steps and _matches(key, command, argument):
                return steps.pop(0)
        hits = (step for key, step in self.always.items() if _matches(key, command, argument))
        return next(hits, None)


def _matches(key: str, command: str, argument: str) -> bool:
    wanted, _, part = key.partition(" ")
    return wanted == command and part in argument


@dataclass
class SmtpServer:
    """A running server: what it was sent, and how it is told to behave from now on."""

    script: Script = field(default_factory=Script)
    mails: list[Received] = field(default_factory=list)
    commands: Counter[str] = field(default_factory=Counter)
    connections: int = 0
    open_connections: int = 0
    logins: list[tuple[str, str]] = field(default_factory=list)
    pipelining: bool = False
    port: int = 0
    hang_up: Callable[[], None] = lambda: None

    def on(self, key: str, *steps: Step) -> None:
        """Do these steps, one for each time."""
        self.script.steps.setdefault(key, []).extend(steps)

    def always(self, key: str, step: Step) -> None:
        """Do this step every time."""
        self.script.always[key] = step


class _Protocol(SMTP):
    """aiosmtpd's server, asking the script before each answer."""

    def __init__(
        self, server: SmtpServer, live: set["_Protocol"], *, login_required: bool, **options: Any
    ) -> None:
        super().__init__(_Handler(server), hostname="mx.test", **options)
        # Given to aiosmtpd itself, it would warn that the password may go in the clear.
        self._auth_required = login_required
        self._server = server
        self._live = live
        self._counted = False
        self._drip = 0.0
        self._smtp_methods = {
            name: self._scripted(name, method) for name, method in self._smtp_methods.items()
        }

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not self._counted:  # STARTTLS makes it again
            self._counted = True
            self._server.connections += 1
            self._server.open_connections += 1
            self._live.add(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        if self in self._live:
            self._live.discard(self)
            self._server.open_connections -= 1
        super().connection_lost(error)

    async def _handle_client(self) -> None:
        step = self._server.script.next("CONNECT", "")
        if step is None or not await self.do(step):
            await super()._handle_client()
        elif not step.drop:
            await self._reader.read()

    async def push(self, status: str | bytes) -> None:
        line = status.encode() if isinstance(status, str) else status
        if not self._drip:
            await super().push(line)
            return
        for octet in line + b"\r\n":
            self._writer.write(bytes([octet]))
            await self._writer.drain()
            await asyncio.sleep(self._drip)

    @property
    def encrypted(self) -> bool:
        """Whether TLS is spoken, from the first byte or since STARTTLS."""
        transport = self.transport
        return transport is not None and transport.get_extra_info("sslcontext") is not None

    def abort(self) -> None:
        """Hang up without a word."""
        if isinstance(self.transport, asyncio.WriteTransport):
            self.transport.abort()

    def _scripted(
        self, command: str, method: Callable[[str | None], Awaitable[None]]
    ) -> Callable[[str | None], Awaitable[None]]:
        async def answer(argument: str | None) -> None:
            self._server.commands[command] += 1
            step = self._server.script.next(command, argument or "")
            if step is None or not await self.do(step):
                await method(argument)

        return answer

    async def do(self, step: Step) -> bool:
        """Whether the step has answered the command."""
        await asyncio.sleep(step.wait)
        self._drip = step.drip
        if step.reply is not None:
            await self.push(step.reply)
        if step.drop:
            self.abort()
        return step.drop or step.reply is not None


class _Handler:
    def __init__(self, server: SmtpServer) -> None:
        self._server = server

    async def handle_EHLO(  # noqa: N802  # aiosmtpd's name
        self,
        _protocol: _Protocol,
        session: Session,
        _envelope: Envelope,
        hostname: str,
        responses: list[str],
    ) -> list[str]:
        session.host_name = hostname
        extensions = ["250-PIPELINING"] if self._server.pipelining else []
        return [*responses[:-1], *extensions, responses[-1]]

    async def handle_DATA(self, protocol: _Protocol, session: Session, envelope: Envelope) -> str:  # noqa: N802  # aiosmtpd's name
        assert isinstance(envelope.content, bytes)
        mail = Received(
            content=envelope.content,
            sender=envelope.mail_from or "",
            recipients=[str(one) for one in envelope.rcpt_tos],
            login=_user(session.auth_data),
            encrypted=protocol.encrypted,
        )
        step = self._server.script.next("END", " ".join(mail.recipients))
        if step is None or step.reply is None or step.reply.startswith("2"):
            self._server.mails.append(mail)
        if step is None:
            return "250 2.0.0 Ok: queued as 4F2X"
        await protocol.do(Step(drop=step.drop, wait=step.wait, drip=step.drip))
        return step.reply or "250 OK"


def _user(auth_data: object) -> str | None:
    return auth_data.login.decode() if isinstance(auth_data, LoginPassword) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """A certificate authority of our own, and a server that it vouches for."""

    cafile: Path
    context: ssl.SSLContext

    @classmethod
    def make(cls, folder: Path, name: str = "127.0.0.1") -> Self:
        """One whose server's certificate is for an IP address or a host name."""
        ca_key, key = (
            ec.generate_private_key(ec.SECP256R1()),
            ec.generate_private_key(ec.SECP256R1()),
        )
        authority = _certificate("Test CA", "Test CA", ca_key, ca_key, ca=True)
        certificate = _certificate(name, "Test CA", key, ca_key, ca=False)
        cafile, chain = folder / "ca.pem", folder / "server.pem"
        pem = serialization.Encoding.PEM
        cafile.write_bytes(authority.public_bytes(pem))
        private = key.private_bytes(
            pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        chain.write_bytes(certificate.public_bytes(pem) + private)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(chain)
        return cls(cafile=cafile, context=context)


def _certificate(
    name: str,
    issuer: str,
    key: ec.EllipticCurvePrivateKey,
    issuer_key: ec.EllipticCurvePrivateKey,
    *,
    ca: bool,
) -> x509.Certificate:
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_x509_name(name))
        .issuer_name(_x509_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    if not ca:
        builder = builder.add_extension(_alternative_name(name), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def _x509_name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _alternative_name(name: str) -> x509.SubjectAlternativeName:
    try:
        return x509.SubjectAlternativeName([x509.IPAddress(ip_address(name))])
    except ValueError:
        return x509.SubjectAlternativeName([x509.DNSName(name)])


@contextmanager
def smtp_server(  # each is one way in which servers differ
    *,
    starttls: ssl.SSLContext | None = None,
    tls: ssl.SSLContext | None = None,
    login: tuple[str, str] | None = None,
    login_in_the_clear: bool = False,
    mechanisms: tuple[str, ...] = ("PLAIN", "LOGIN"),
    smtputf8: bool = True,
    size_limit: int = 33_554_432,
    pipelining: bool = False,
) -> Iterator[SmtpServer]:
    """A server that runs while the context lasts.

    `starttls` offers and demands STARTTLS, `tls` speaks TLS from the first byte; `login` is the
    one user and password, demanded when given, over TLS alone unless it may go in the clear.
    """
    server = SmtpServer(pipelining=pipelining)
    live: set[_Protocol] = set()

    def authenticate(
        _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: LoginPassword
    ) -> AuthResult:
        given = (data.login.decode(), data.password.decode())
        server.logins.append(given)
        return AuthResult(success=given == login, handled=False, auth_data=data)

    def protocol() -> _Protocol:
        return _Protocol(
            server,
            live,
            loop=loop,
            data_size_limit=size_limit,
            tls_context=starttls,
            require_starttls=starttls is not None,
            authenticator=authenticate if login else None,
            login_required=login is not None,
            enable_SMTPUTF8=smtputf8,
            auth_require_tls=not login_in_the_clear,
            auth_exclude_mechanism={"PLAIN", "LOGIN"} - set(mechanisms),
        )

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    listening = asyncio.run_coroutine_threadsafe(
        loop.create_server(protocol, "127.0.0.1", 0, ssl=tls), loop
    ).result(10)
    server.port = listening.sockets[0].getsockname()[1]
    server.hang_up = lambda: asyncio.run_coroutine_threadsafe(_hang_up(live), loop).result(10)
    try:
        yield server
    finally:
        asyncio.run_coroutine_threadsafe(_end(listening, live), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def _hang_up(live: set[_Protocol]) -> None:
    for protocol in list(live):
        protocol.abort()


async def _end(listening: asyncio.Server, live: set[_Protocol]) -> None:
    listening.close()
    await _hang_up(live)
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
