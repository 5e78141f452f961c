"""TLS and logins to SMTP servers."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from channels.errors import ConfigurationFault
from channels.testing import outbound
from communication.errors import TransientDeliveryError
from tests.authority import Authority
from tests.smtp_channels import Opened, authority, failure, opened, server
from tests.smtp_script import SmtpServer, Step
from tests.smtp_server import smtp_server

__all__ = ["authority", "opened", "server"]


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
    with smtp_server(**{tls: authority.context}) as server:
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
