"""SMTP servers that are lost, slow or silent, and how often a mail is then sent."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from channels.errors import OutcomeUnknown
from channels.testing import outbound
from communication.errors import TransientDeliveryError
from tests.processes import free_port
from tests.smtp_channels import Opened, failure, opened, server, url
from tests.smtp_script import SmtpServer, Step
from tests.smtp_server import smtp_server

__all__ = ["opened", "server"]


@pytest.mark.parametrize("command", ["CONNECT", "EHLO", "MAIL", "RCPT", "DATA"])
def test_a_lost_connection_is_transient(server: SmtpServer, opened: Opened, command: str) -> None:
    channel = opened(url(server))
    server.on(command, Step(drop=True))
    error = failure(channel)
    assert isinstance(error, TransientDeliveryError)
    assert error.reason.startswith("connection lost: ")
    assert channel.send(outbound()) == "4F2X"
    assert len(server.mails) == 1


def test_a_connection_lost_amid_the_content_is_transient(
    server: SmtpServer, opened: Opened
) -> None:
    channel = opened(url(server))
    server.on("DATA", Step("354 go on", drop=True))
    assert isinstance(failure(channel, text="x" * 5_000_000), TransientDeliveryError)
    assert server.mails == []


@pytest.mark.parametrize(
    "step", [Step(drop=True), Step(wait=60), Step("250 OK", drip=60)], ids=["drop", "hang", "drip"]
)
def test_once_the_mail_is_handed_over_nothing_sends_it_again(
    server: SmtpServer, opened: Opened, step: Step
) -> None:
    with smtp_server() as fallback:
        channel = opened(f"{url(server)},{url(fallback)}", send_timeout=4)
        server.on("END", step)
        error = failure(channel)
        assert isinstance(error, OutcomeUnknown)
        assert error.reason.startswith("it may have been taken: ")
        assert server.commands["DATA"] == 1
        assert fallback.connections == 0


def test_the_fallback_takes_over_when_the_primary_is_down(
    server: SmtpServer, opened: Opened
) -> None:
    channel = opened(f"smtp://127.0.0.1:{free_port()},{url(server)}")
    assert channel.send(outbound()) == "4F2X"
    assert channel.provider == url(server)


def test_a_refused_connection_is_transient(opened: Opened) -> None:
    error = failure(opened(f"smtp://127.0.0.1:{free_port()}"))
    assert isinstance(error, TransientDeliveryError)
    assert error.reason == "connection lost: connecting: Connection refused"


def test_an_unknown_host_is_transient(opened: Opened) -> None:
    assert isinstance(failure(opened("smtp://mx.invalid")), TransientDeliveryError)


@pytest.mark.parametrize("command", ["CONNECT", "EHLO", "MAIL", "RCPT", "DATA"])
def test_a_dripping_server_cannot_outlive_the_time_of_a_send(
    server: SmtpServer, opened: Opened, command: str
) -> None:
    server.on(command, Step("250 " + "slow " * 50, drip=0.5))
    channel = opened(url(server), send_timeout=0.5)
    began = time.monotonic()
    error = failure(channel)
    assert time.monotonic() - began < 30
    assert error.reason.startswith("timed out: ")


def test_each_command_has_a_time_of_its_own(server: SmtpServer, opened: Opened) -> None:
    server.on("RCPT", Step(wait=60))
    channel = opened(url(server, "?timeout=2s"), send_timeout=60)
    began = time.monotonic()
    assert failure(channel).reason == "timed out: RCPT"
    assert time.monotonic() - began < 40


def test_many_slow_commands_together_end_in_time(server: SmtpServer, opened: Opened) -> None:
    for command in ("EHLO", "MAIL", "RCPT", "DATA"):
        server.on(command, Step(wait=0.4))
    channel = opened(url(server, "?timeout=1s"), send_timeout=1)
    assert failure(channel).reason.startswith("timed out: ")


def test_a_server_that_stops_reading_cannot_outlive_the_time_of_a_send(opened: Opened) -> None:
    with _silent_reader() as port:
        channel = opened(f"smtp://127.0.0.1:{port}", send_timeout=2)
        began = time.monotonic()
        error = failure(channel, text="x" * 20_000_000)
        assert time.monotonic() - began < 60  # to build the mail takes its time, too
        assert error.reason == "timed out: the mail's content"


@contextmanager
def _silent_reader() -> Iterator[int]:
    """Agrees to everything up to DATA and then reads no further."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        done = threading.Event()
        thread = threading.Thread(target=_agree, args=(listening, done))
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            done.set()
            thread.join()


def _agree(listening: socket.socket, done: threading.Event) -> None:
    connection, _ = listening.accept()
    with connection:
        for reply in (b"220 hi", b"250 hi", b"250 ok", b"250 ok", b"354 go on"):
            connection.sendall(reply + b"\r\n")
            if not reply.startswith(b"354"):
                connection.recv(1000)
        done.wait(120)
