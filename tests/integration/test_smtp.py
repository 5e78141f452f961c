import email
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from email.header import decode_header, make_header
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from channels.base import Attachment, Channel
from channels.email.email_message import build_mail
from channels.errors import ConfigurationFault, OutcomeUnknown
from channels.registry import open_channels
from channels.testing import SENDER, ChannelContract, environment, outbound
from communication.errors import DeliveryError, PermanentDeliveryError, TransientDeliveryError
from tests.processes import free_port
from tests.smtp_server import Authority, SmtpServer, Step, smtp_server
from tests.waiting import wait_until

Opened = Callable[..., Channel]


@pytest.fixture(params=[False, True], ids=["one-by-one", "pipelining"])
def server(request: pytest.FixtureRequest) -> Iterator[SmtpServer]:
    """A server without TLS or login, that takes commands one by one or together."""
    with smtp_server(pipelining=request.param) as running:
        yield running


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    """Opens channels, and closes them after the test."""
    channels: list[Channel] = []

    def open_one(url: str, *, send_timeout: float = 5.0) -> Channel:
        channels.append(open_channels(url, environment(tmp_path, send_timeout=send_timeout)))
        return channels[-1]

    yield open_one
    for channel in channels:
        channel.close()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.make(tmp_path_factory.mktemp("authority"))


def url(server: SmtpServer, query: str = "") -> str:
    return f"smtp://127.0.0.1:{server.port}{query}"


def failure(channel: Channel, **changes: object) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        channel.send(outbound(**changes))
    return caught.value


class TestContract(ChannelContract):
    @pytest.fixture
    def channel(self, server: SmtpServer, opened: Opened) -> Channel:
        return opened(url(server, "?concurrency=4"))


def test_the_mail_arrives_as_it_was_built(server: SmtpServer, opened: Opened) -> None:
    opened(url(server)).send(outbound())
    (mail,) = server.mails
    sent = build_mail(outbound(), SENDER).content
    assert mail.content.split(b"\r\n", 1)[1] == sent.split(b"\r\n", 1)[1]
    assert (mail.sender, mail.recipients) == ("tidings@example.com", ["asa@example.org"])
    assert not mail.encrypted


def test_the_queue_id_is_the_reference_else_the_message_id(
    server: SmtpServer, opened: Opened
) -> None:
    channel = opened(url(server))
    replies = {
        "250 2.0.0 Ok: queued as 4ZrF3M2xQcz1": "4ZrF3M2xQcz1",
        "250 OK id=1tAbCd-0000001-2X": "1tAbCd-0000001-2X",
        "250 2.0.0 4ALBx9ab012345 Message accepted for delivery": "4ALBx9ab012345",
        "250 thank you": "<id@example.com>",
    }
    server.on("END", *(Step(reply) for reply in replies))
    references = [channel.send(outbound(delivery_id="id")) for _ in replies]
    assert references == list(replies.values())


TRANSIENT = [
    ("MAIL", "451 4.3.0 try later"),
    ("RCPT", "450 4.2.1 mailbox busy"),
    ("RCPT", "452 4.2.2 mailbox full"),
    ("DATA", "451 4.3.0 no disk"),
    ("END", "451 4.7.1 greylisted"),
    ("MAIL", "421 4.3.2 closing"),
    ("RCPT", "421 4.3.2 closing"),
    ("DATA", "421 4.3.2 closing"),
    ("END", "421 4.3.2 closing"),
    ("EHLO", "421 4.3.2 closing"),
    ("CONNECT", "421 4.3.2 too busy"),
    ("RCPT", "503 5.5.1 send MAIL first"),
    ("RCPT", "354 what"),
    ("DATA", "250 what"),
]
PERMANENT = [
    ("MAIL", "553 5.7.1 sender not yours"),
    ("RCPT", "550 5.1.1 No such user"),
    ("RCPT", "551 user not local"),
    ("RCPT", "501 5.1.3 bad syntax"),
    ("DATA", "554 5.6.0 no"),
    ("END", "552 5.3.4 too big"),
    ("END", "550 5.7.1 spam"),
]
CONFIGURATION = [
    ("CONNECT", "554 5.7.1 no SMTP service here"),
    ("MAIL", "530 5.7.0 Authentication required"),
    ("RCPT", "530 5.7.0 Must issue a STARTTLS command first"),
]


@pytest.mark.parametrize(
    ("command", "reply", "kind"),
    [(*row, TransientDeliveryError) for row in TRANSIENT]
    + [(*row, PermanentDeliveryError) for row in PERMANENT]
    + [(*row, ConfigurationFault) for row in CONFIGURATION],
)
def test_a_refusal_is_told_by_its_reply(
    server: SmtpServer, opened: Opened, command: str, reply: str, kind: type[DeliveryError]
) -> None:
    channel = opened(url(server))
    server.on(command, Step(reply))
    error = failure(channel)
    assert isinstance(error, kind)
    assert isinstance(error, ConfigurationFault) == (kind is ConfigurationFault)
    assert error.reason == reply
    assert server.mails == []


@pytest.mark.parametrize(("command", "reply"), [*TRANSIENT, *PERMANENT])
def test_after_a_refusal_the_next_mail_goes_through(
    server: SmtpServer, opened: Opened, command: str, reply: str
) -> None:
    channel = opened(url(server, "?concurrency=1"))
    server.on(command, Step(reply))
    failure(channel)
    assert channel.send(outbound()) == "4F2X"
    assert len(server.mails) == 1


def test_a_refused_receiver_does_not_cost_the_connection(
    server: SmtpServer, opened: Opened
) -> None:
    channel = opened(url(server))
    server.always("RCPT nobody@", Step("550-5.1.1 No such user\r\n550 5.1.1 here"))
    for _ in range(3):
        assert failure(channel, address="nobody@example.org").reason == (
            "550 5.1.1 No such user here"
        )
        channel.send(outbound())
    assert server.connections == 1
    assert len(server.mails) == 3


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
    server.on(command, Step("250 " + "slow " * 50, drip=0.05))
    channel = opened(url(server), send_timeout=0.5)
    began = time.monotonic()
    error = failure(channel)
    assert time.monotonic() - began < 5
    assert error.reason.startswith("timed out: ")


def test_each_command_has_a_time_of_its_own(server: SmtpServer, opened: Opened) -> None:
    server.on("RCPT", Step(wait=60))
    channel = opened(url(server, "?timeout=200ms"), send_timeout=30)
    began = time.monotonic()
    assert failure(channel).reason == "timed out: RCPT"
    assert time.monotonic() - began < 5


def test_many_slow_commands_together_end_in_time(server: SmtpServer, opened: Opened) -> None:
    for command in ("EHLO", "MAIL", "RCPT", "DATA"):
        server.on(command, Step(wait=0.4))
    channel = opened(url(server, "?timeout=1s"), send_timeout=1)
    began = time.monotonic()
    assert failure(channel).reason.startswith("timed out: ")
    assert time.monotonic() - began < 2


def test_a_server_that_stops_reading_cannot_outlive_the_time_of_a_send(opened: Opened) -> None:
    with _silent_reader() as port:
        channel = opened(f"smtp://127.0.0.1:{port}", send_timeout=1)
        began = time.monotonic()
        error = failure(channel, text="x" * 20_000_000)
        assert time.monotonic() - began < 3
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
            thread.join(10)


def _agree(listening: socket.socket, done: threading.Event) -> None:
    connection, _ = listening.accept()
    with connection:
        for reply in (b"220 hi", b"250 hi", b"250 ok", b"250 ok", b"354 go on"):
            connection.sendall(reply + b"\r\n")
            if not reply.startswith(b"354"):
                connection.recv(1000)
        done.wait(30)


@pytest.mark.parametrize("answer", ["hello", "99 x", "2500 x", "250-" + "x" * 70_000])
def test_what_is_not_smtp_is_transient(server: SmtpServer, opened: Opened, answer: str) -> None:
    server.on("CONNECT", Step(answer))
    assert failure(opened(url(server))).reason == "the server's answer is not SMTP"


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


def test_a_connection_that_idles_too_long_is_closed(server: SmtpServer, opened: Opened) -> None:
    channel = opened(url(server, "?idle=1s"))
    channel.send(outbound())
    idle_until = time.monotonic() + 1.1
    wait_until(lambda: time.monotonic() > idle_until)
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


def test_an_old_server_that_knows_no_ehlo_is_greeted_by_helo(
    server: SmtpServer, opened: Opened
) -> None:
    server.on("EHLO", Step("502 5.5.1 not implemented"))
    assert opened(url(server, "?ehlo=app.example.com")).send(outbound())
    assert server.commands["HELO"] == 1


def test_a_mail_over_the_servers_size_is_refused_before_it_is_sent(opened: Opened) -> None:
    with smtp_server(size_limit=10_000) as server:
        channel = opened(url(server))
        error = failure(channel, text="x" * 20_000)
        assert isinstance(error, PermanentDeliveryError)
        assert "the server takes 10000" in error.reason
        assert server.commands["MAIL"] == 0
        assert channel.send(outbound())


def test_an_international_address_goes_by_smtputf8(server: SmtpServer, opened: Opened) -> None:
    opened(url(server)).send(outbound(address="åsa@räksmörgås.se"))
    assert server.mails[0].recipients == ["åsa@xn--rksmrgs-5wao1o.se"]


def test_an_international_address_is_refused_where_smtputf8_is_not_offered(opened: Opened) -> None:
    with smtp_server(smtputf8=False) as server:
        channel = opened(url(server))
        error = failure(channel, address="åsa@example.org")
        assert isinstance(error, PermanentDeliveryError)
        assert "SMTPUTF8" in error.reason
        assert channel.send(outbound(address="asa@räksmörgås.se"))


def test_a_subject_and_names_in_any_script_arrive(server: SmtpServer, opened: Opened) -> None:
    subject = "Räksmörgås 日本語 🎉 " * 10
    opened(url(server)).send(outbound(subject=subject, receiver_name="Žofie Ωmega"))
    mail = email.message_from_bytes(server.mails[0].content)
    assert str(make_header(decode_header(mail["Subject"]))) == subject.strip()
    assert str(make_header(decode_header(mail["To"]))) == "Žofie Ωmega <asa@example.org>"


def test_attachments_arrive_as_they_were(server: SmtpServer, opened: Opened) -> None:
    content = bytes(range(256)) * 1000
    files = (Attachment(name="räkning.pdf", mime_type="application/pdf", content=content),)
    opened(url(server)).send(outbound(attachments=files))
    mail = email.message_from_bytes(server.mails[0].content)
    (attached,) = [part for part in mail.walk() if part.get_filename()]
    assert attached.get_filename() == "räkning.pdf"
    assert attached.get_payload(decode=True) == content


def test_lines_of_dots_arrive_as_they_were(server: SmtpServer, opened: Opened) -> None:
    text = ".\n..\n.a\n\n.\nend\n"
    opened(url(server)).send(outbound(text=text, html=None, attachments=()))
    mail = email.message_from_bytes(server.mails[0].content)
    payload = mail.get_payload(decode=True)
    assert isinstance(payload, bytes)
    assert payload.decode() == text.replace("\n", "\r\n")


def test_a_mail_of_five_megabytes_arrives(server: SmtpServer, opened: Opened) -> None:
    content = bytes(5_000_000)
    files = (Attachment(name="a.bin", mime_type="application/octet-stream", content=content),)
    opened(url(server), send_timeout=30).send(outbound(attachments=files))
    assert len(server.mails[0].content) > 6_600_000


@pytest.mark.parametrize(
    "changes",
    [
        {"subject": "a\r\nBcc: victim@example.org"},
        {"receiver_name": "a\r\nBcc: victim@example.org"},
        {"text": "a\r\n.\r\nMAIL FROM:<x@example.org>\r\n", "html": None},
        {"text": "a\n.\nRCPT TO:<victim@example.org>\r.\r", "html": None},
    ],
)
def test_no_value_becomes_a_command_or_a_header(
    server: SmtpServer, opened: Opened, changes: dict[str, str]
) -> None:
    opened(url(server)).send(outbound(**changes))
    (mail,) = server.mails
    assert mail.recipients == ["asa@example.org"]
    assert "Bcc" not in email.message_from_bytes(mail.content)
    assert server.commands["MAIL"] == server.commands["RCPT"] == 1


@pytest.mark.parametrize(
    "address", ["asa@example.org>\r\nRCPT TO:<victim@example.org", "a\nb@example.org", "a b@c"]
)
def test_an_address_that_is_none_never_reaches_the_server(
    server: SmtpServer, opened: Opened, address: str
) -> None:
    assert isinstance(failure(opened(url(server)), address=address), PermanentDeliveryError)
    assert server.connections == 0


LOGIN = ("tidings@example.com", "p:a/s@s#å")
IN_URL = "tidings%40example.com:p%3Aa%2Fs%40s%23%C3%A5"


@pytest.mark.parametrize("mechanisms", [("PLAIN",), ("LOGIN",), ("PLAIN", "LOGIN")])
def test_starttls_and_a_login(
    opened: Opened, authority: Authority, mechanisms: tuple[str, ...]
) -> None:
    with smtp_server(starttls=authority.context, login=LOGIN, mechanisms=mechanisms) as server:
        channel = opened(
            f"smtp+starttls://{IN_URL}@127.0.0.1:{server.port}?cafile={authority.cafile}"
        )
        channel.send(outbound())
        channel.send(outbound())
        assert [(mail.login, mail.encrypted) for mail in server.mails] == [(LOGIN[0], True)] * 2
        assert server.logins == [LOGIN]
        assert LOGIN[1] not in channel.provider


def test_tls_from_the_first_byte(opened: Opened, authority: Authority) -> None:
    with smtp_server(tls=authority.context) as server:
        channel = opened(f"smtps://127.0.0.1:{server.port}?cafile={authority.cafile}")
        assert channel.send(outbound()) == "4F2X"
        assert server.mails[0].encrypted


def test_a_password_goes_over_tls_where_it_can(opened: Opened, authority: Authority) -> None:
    with smtp_server(starttls=authority.context, login=LOGIN) as server:
        query = f"?cafile={authority.cafile}"
        opened(f"smtp://{IN_URL}@127.0.0.1:{server.port}{query}").send(outbound())
        assert server.mails[0].encrypted


def test_a_password_goes_in_the_clear_to_a_server_without_tls(opened: Opened) -> None:
    with smtp_server(login=LOGIN, login_in_the_clear=True) as server:
        opened(f"smtp://{IN_URL}@127.0.0.1:{server.port}").send(outbound())
        assert server.logins == [LOGIN]


def test_a_wrong_password_is_transient_logged_once_and_not_told(
    opened: Opened, authority: Authority
) -> None:
    with smtp_server(starttls=authority.context, login=LOGIN) as server, capture_logs() as logs:
        server.on("AUTH", Step("535 5.7.8 the password hunter2 is wrong"))
        address = f"smtp+starttls://user:hunter2@127.0.0.1:{server.port}"
        channel = opened(f"{address}?cafile={authority.cafile}")
        errors = [failure(channel) for _ in range(5)]
    assert {type(error) for error in errors} == {ConfigurationFault}
    assert {error.reason for error in errors} == {"the login was refused: 535 5.7.8"}
    assert all(error.retry_after for error in errors if isinstance(error, TransientDeliveryError))
    assert [entry["log_level"] for entry in logs] == ["error"]
    assert "hunter2" not in str(logs)
    assert server.commands["AUTH"] == 1


@pytest.mark.parametrize(
    ("scheme", "reason"),
    [
        ("smtp+starttls", "the server does not offer STARTTLS"),
        ("smtp", "the server offers no login that we know (PLAIN, LOGIN)"),
    ],
)
def test_what_the_server_does_not_offer_is_a_fault_of_configuration(
    server: SmtpServer, opened: Opened, scheme: str, reason: str
) -> None:
    error = failure(opened(f"{scheme}://user:pass@127.0.0.1:{server.port}"))
    assert isinstance(error, ConfigurationFault)
    assert error.reason == reason
    assert server.logins == []


def test_a_refused_starttls_is_a_fault_of_configuration(
    opened: Opened, authority: Authority
) -> None:
    with smtp_server(starttls=authority.context) as server:
        server.on("STARTTLS", Step("502 5.7.0 not today"))
        error = failure(opened(f"smtp+starttls://127.0.0.1:{server.port}"))
        assert isinstance(error, ConfigurationFault)
        assert error.reason == "502 5.7.0 not today"


def test_what_was_said_before_tls_is_not_believed(opened: Opened, authority: Authority) -> None:
    with smtp_server(starttls=authority.context) as server:
        server.on("STARTTLS", Step("220 go on\r\n250 injected"))
        error = failure(opened(f"smtp+starttls://127.0.0.1:{server.port}"))
        assert error.reason == "the server sent more than its answer before TLS began"


@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
def test_a_certificate_of_an_unknown_authority_is_refused(
    opened: Opened, authority: Authority, scheme: str
) -> None:
    tls = {"smtps": "tls", "smtp+starttls": "starttls"}[scheme]
    with smtp_server(**{tls: authority.context}) as server:  # type: ignore[arg-type]  # one of its contexts
        error = failure(opened(f"{scheme}://127.0.0.1:{server.port}"))
        assert isinstance(error, ConfigurationFault)
        assert "certificate is not valid" in error.reason
        assert server.mails == []


def test_a_certificate_for_another_name_is_refused(opened: Opened, tmp_path: Path) -> None:
    other = Authority.make(tmp_path, "mail.example.com")
    with smtp_server(tls=other.context) as server:
        error = failure(opened(f"smtps://127.0.0.1:{server.port}?cafile={other.cafile}"))
        assert isinstance(error, ConfigurationFault)
        assert "mismatch" in error.reason


def test_verification_can_be_switched_off_by_name_alone(
    opened: Opened, authority: Authority
) -> None:
    with smtp_server(tls=authority.context) as server:
        assert opened(f"smtps://127.0.0.1:{server.port}?verify=no").send(outbound())


def test_tls_to_a_server_that_speaks_none_is_transient(server: SmtpServer, opened: Opened) -> None:
    error = failure(opened(f"smtps://127.0.0.1:{server.port}"))
    assert isinstance(error, TransientDeliveryError)
    assert "the TLS handshake" in error.reason
