"""An SMTP server that does what a test tells it to, on a free port of 127.0.0.1."""

import asyncio
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.smtp_script import Received, SmtpServer, Step


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
class Ways:
    """In which servers differ.

    `starttls` offers and demands STARTTLS, `tls` speaks TLS from the first byte; `login` is the
    one user and password, demanded when given, over TLS alone unless it may go in the clear.
    """

    starttls: ssl.SSLContext | None = None
    tls: ssl.SSLContext | None = None
    login: tuple[str, str] | None = None
    login_in_the_clear: bool = False
    mechanisms: tuple[str, ...] = ("PLAIN", "LOGIN")
    smtputf8: bool = True
    size_limit: int = 33_554_432
    pipelining: bool = False

    def protocol(
        self, server: SmtpServer, live: set[_Protocol], loop: asyncio.AbstractEventLoop
    ) -> _Protocol:
        """For one connection."""
        return _Protocol(
            server,
            live,
            loop=loop,
            data_size_limit=self.size_limit,
            tls_context=self.starttls,
            require_starttls=self.starttls is not None,
            authenticator=partial(self._authenticate, server) if self.login else None,
            login_required=self.login is not None,
            enable_SMTPUTF8=self.smtputf8,
            auth_require_tls=not self.login_in_the_clear,
            auth_exclude_mechanism={"PLAIN", "LOGIN"} - set(self.mechanisms),
        )

    def _authenticate(self, server: SmtpServer, *asked: Any) -> AuthResult:
        data: LoginPassword = asked[-1]
        given = (data.login.decode(), data.password.decode())
        server.logins.append(given)
        return AuthResult(success=given == self.login, handled=False, auth_data=data)


@contextmanager
def smtp_server(**ways: Any) -> Iterator[SmtpServer]:
    """A server that runs while the context lasts; the keywords are those of `Ways`."""
    chosen = Ways(**ways)
    server = SmtpServer(pipelining=chosen.pipelining)
    live: set[_Protocol] = set()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    listening = asyncio.run_coroutine_threadsafe(
        loop.create_server(
            partial(chosen.protocol, server, live, loop), "127.0.0.1", 0, ssl=chosen.tls
        ),
        loop,
    ).result(60)
    server.port = listening.sockets[0].getsockname()[1]
    server.hang_up = lambda: asyncio.run_coroutine_threadsafe(_hang_up(live), loop).result(60)
    try:
        yield server
    finally:
        asyncio.run_coroutine_threadsafe(_end(listening, live), loop).result(60)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(60)
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
