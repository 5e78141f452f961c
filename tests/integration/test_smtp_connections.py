"""Connections to an SMTP server: how many, how long, and what replaces them."""

import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from channels.errors import PutOff, RateReached
from channels.testing import outbound
from communication.errors import TransientDeliveryError
from tests.smtp_channels import Opened, failure, opened, server, url
from tests.smtp_script import SmtpServer, Step
from tests.smtp_server import smtp_server
from tests.waiting import wait_until

__all__ = ["opened", "server"]


def test_a_hundred_mails_share_one_connection(server: SmtpServer, opened: Opened) -> None:
    channel = opened(url(server))
    for number in range(100):
        channel.send(outbound(delivery_id=f"id-{number}"))
    assert server.connections == 1
    assert len(server.mails) == 100
    assert server.commands["EHLO"] == 1


def test_there_are_never_more_connections_than_the_concurrency(
    server: SmtpServer, opened: Opened
) -> None:
    channel = opened(url(server, "?concurrency=3"))
    with ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda n: channel.send(outbound(delivery_id=f"id-{n}")), range(120)))
    assert 1 <= server.connections <= 3
    assert len({mail.content for mail in server.mails}) == 120


def test_a_dead_idle_connection_is_replaced_silently(server: SmtpServer, opened: Opened) -> None:
    channel = opened(url(server))
    channel.send(outbound())
    server.hang_up()
    assert channel.send(outbound()) == "4F2X"
    assert server.connections == 2
    assert len(server.mails) == 2


@pytest.mark.parametrize(
    "step",
    [
        Step(drop=True),
        Step("421 4.4.2 idle too long", drop=True),
        Step("503 5.5.1 say EHLO first"),
    ],
    ids=["drop", "421", "503"],
)
def test_an_idle_connection_that_ends_at_mail_is_replaced_once(
    server: SmtpServer, opened: Opened, step: Step
) -> None:
    channel = opened(url(server))
    channel.send(outbound())
    server.on("MAIL", step)
    assert channel.send(outbound()) == "4F2X"
    server.on("MAIL", step, step)
    assert isinstance(failure(channel), TransientDeliveryError)
    assert server.connections == 3
    assert len(server.mails) == 2


def test_an_idle_connection_that_ends_after_mail_is_replaced_where_commands_go_together(
    server: SmtpServer, opened: Opened
) -> None:
    channel = opened(url(server))
    channel.send(outbound())
    server.on("RCPT", Step(drop=True))
    if server.pipelining:
        assert channel.send(outbound())
    else:
        assert isinstance(failure(channel), TransientDeliveryError)
    assert len(server.mails) == 1 + server.pipelining


def test_a_server_that_takes_data_for_nobody_gets_none(opened: Opened) -> None:
    with smtp_server(pipelining=True) as server:
        server.on("RCPT", Step(reply="550 5.1.1 no such user"))
        server.on("DATA", Step(reply="354 go ahead"))
        channel = opened(url(server))
        assert failure(channel).reason == "550 5.1.1 no such user"
        assert channel.send(outbound())
        assert (len(server.mails), server.connections) == (1, 2)
        channel.close()


def test_a_reset_that_fails_costs_the_connection_and_not_the_mail(
    server: SmtpServer, opened: Opened
) -> None:
    channel = opened(url(server))
    server.on("RCPT", Step("550 no"))
    failure(channel)
    server.on("RSET", Step("500 what"))
    assert channel.send(outbound()) == "4F2X"
    assert server.connections == 2


def test_a_connection_that_idles_too_long_is_closed(
    server: SmtpServer, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel = opened(url(server, "?idle=40s"))
    channel.send(outbound())
    later = SimpleNamespace(monotonic=lambda: time.monotonic() + 41)
    monkeypatch.setattr("channels.email.smtp_pool.time", later)
    channel.send(outbound())
    assert server.connections == 2
    wait_until(lambda: server.open_connections == 1)


def test_closing_ends_idle_connections_and_later_sends(server: SmtpServer, opened: Opened) -> None:
    channel = opened(url(server))
    channel.send(outbound())
    channel.close()
    wait_until(lambda: server.open_connections == 0)
    assert server.commands["QUIT"] == 1
    assert failure(channel).reason == "the channel is closed"


def test_closing_lets_a_mail_that_is_under_way_arrive(server: SmtpServer, opened: Opened) -> None:
    channel = opened(url(server))
    server.on("DATA", Step(wait=0.3))
    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(channel.send, outbound())
        wait_until(lambda: server.commands["DATA"] == 1)
        channel.close()
        assert sending.result() == "4F2X"
    wait_until(lambda: server.open_connections == 0)


def test_a_server_that_takes_no_more_connections_costs_no_try(
    server: SmtpServer, opened: Opened
) -> None:
    server.on("CONNECT", Step(), Step("421 4.7.0 too many connections", drop=True))
    server.on("END", Step(wait=2.0))
    channel = opened(url(server))
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(channel.send, outbound())
        wait_until(lambda: server.commands["MAIL"] == 1)
        error = failure(channel, delivery_id="id-2")
        assert isinstance(error, RateReached)
        assert error.reason == "421 4.7.0 too many connections"
        assert first.result()


def test_a_server_that_takes_no_connection_at_all_costs_a_try(
    server: SmtpServer, opened: Opened
) -> None:
    server.on("CONNECT", Step("421 4.7.0 too many connections", drop=True))
    assert not isinstance(failure(opened(url(server))), PutOff)
