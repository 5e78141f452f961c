"""Reports in the shapes in which mail servers send them; addresses and texts are made up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from communication.mail.dsn import LARGEST, Bounce, Severity, read_report

POSTFIX = b"""\
Return-Path: <>
Delivered-To: bounce+abc@example.org
Date: Sat, 21 Nov 2026 08:00:00 +0000 (UTC)
From: MAILER-DAEMON@mx.example.net (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: bounce+abc@example.org
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="4F2X.1795248000/mx.example.net"
Message-Id: <20261121080000.4F2X@mx.example.net>

This is a MIME-encapsulated message.

--4F2X.1795248000/mx.example.net
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

<ann@example.com>: host mail.example.com said: 550 5.1.1 no such user

--4F2X.1795248000/mx.example.net
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.net
X-Postfix-Queue-ID: 4F2X
Arrival-Date: Sat, 21 Nov 2026 08:00:00 +0000 (UTC)

Final-Recipient: rfc822; ann@example.com
Original-Recipient: rfc822;Ann@example.com
Action: failed
Status: 5.1.1
Remote-MTA: dns; mail.example.com
Diagnostic-Code: smtp; 550 5.1.1 <ann@example.com>:
    no such user

--4F2X.1795248000/mx.example.net
Content-Description: Undelivered Message
Content-Type: message/rfc822

Return-Path: <bounce+abc@example.org>
From: Tidings <tidings@example.org>
Message-ID: <id-1-0@example.org>
Subject: Hello

--4F2X.1795248000/mx.example.net--
"""
EXCHANGE = b"""\
From: <postmaster@example.com>
To: <bounce+abc@example.org>
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="a3f1_=_b"
Subject: Undeliverable: Hello

--a3f1_=_b
Content-Type: multipart/alternative; differences=Content-Type;
\tboundary="c7_inner"

--c7_inner
Content-Type: text/plain; charset="us-ascii"
Content-Transfer-Encoding: quoted-printable

Your message to ann@example.com couldn't be delivered.
--c7_inner
Content-Type: text/html; charset="us-ascii"

<p>Your message couldn't be delivered.</p>
--c7_inner--

--a3f1_=_b
Content-Type: message/delivery-status

Reporting-MTA: dns;mail.example.com
Received-From-MTA: dns;mx.example.net

Final-Recipient: rfc822;ann@example.com
Action: failed
Status: 5.1.10
Diagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; not found by SMTP address lookup

--a3f1_=_b
Content-Type: text/rfc822-headers

From: Tidings <tidings@example.org>
Message-ID: <id-1-0@example.org>

--a3f1_=_b--
"""
EXIM = b"""\
X-Failed-Recipients: ann@example.com
Auto-Submitted: auto-replied
From: Mail Delivery System <Mailer-Daemon@mx.example.net>
To: bounce+abc@example.org
Content-Type: multipart/report; report-type=delivery-status; boundary=1795248000-eximdsn-123456
MIME-Version: 1.0
Subject: Mail delivery failed: returning message to sender

--1795248000-eximdsn-123456
Content-type: text/plain; charset=us-ascii

This message was created automatically by mail delivery software.

--1795248000-eximdsn-123456
Content-type: message/delivery-status

Reporting-MTA: dns; mx.example.net

Action: failed
Final-Recipient: rfc822;ann@example.com
Status: 5.0.0
Remote-MTA: dns; mail.example.com
Diagnostic-Code: smtp; 550 Unrouteable address

--1795248000-eximdsn-123456
Content-type: message/rfc822

Return-path: <bounce+abc@example.org>
Message-ID: <id-1-0@example.org>

--1795248000-eximdsn-123456--
"""


def bounce(mail: bytes) -> Bounce:
    report = read_report(mail)
    assert report is not None
    (one,) = report.bounces
    return one


def changed(*changes: tuple[bytes, bytes]) -> bytes:
    mail = POSTFIX
    for old, new in changes:
        assert old in mail
        mail = mail.replace(old, new)
    return mail


@pytest.mark.parametrize("ends", [b"\n", b"\r\n"], ids=["lf", "crlf"])
@pytest.mark.parametrize(
    ("mail", "status", "reason"),
    [
        (POSTFIX, "5.1.1", "550 5.1.1 <ann@example.com>: no such user"),
        (EXCHANGE, "5.1.10", "550 5.1.10 RESOLVER.ADR.RecipientNotFound; not found by SMTP"),
        (EXIM, "5.0.0", "5.0.0 550 Unrouteable address"),
    ],
    ids=["postfix", "exchange", "exim"],
)
def test_a_report_of_each_server_is_understood(
    mail: bytes, status: str, reason: str, ends: bytes
) -> None:
    report = read_report(mail.replace(b"\n", ends))
    assert report is not None
    (one,) = report.bounces
    assert (one.severity, one.status) == (Severity.HARD, status)
    assert one.reason.startswith(reason)
    assert one.recipients[-1] == "ann@example.com"
    assert report.message_id.strip() == "<id-1-0@example.org>"
    assert "bounce+abc@example.org" in report.addressed


@pytest.mark.parametrize(
    ("action", "status", "severity"),
    [
        ("failed", "5.1.1", Severity.HARD),
        ("Failed", "5.1.2 (bad host)", Severity.HARD),
        ("failed (address unknown)", "5.2.1", Severity.HARD),
        ("failed", "5.4.4", Severity.HARD),
        ("failed", "5.5.0", Severity.HARD),
        ("failed", "5.2.2", Severity.SOFT),
        ("failed", "5.3.4", Severity.SOFT),
        ("failed", "5.6.1", Severity.SOFT),
        ("failed", "5.7.1", Severity.SOFT),
        ("failed", "4.4.1", Severity.SOFT),
        ("failed", "nonsense", Severity.SOFT),
        ("delayed", "4.4.1", Severity.DELAYED),
    ],
)
def test_what_a_report_means_for_the_address(action: str, status: str, severity: Severity) -> None:
    mail = changed(
        (b"Action: failed", f"Action: {action}".encode()),
        (b"Status: 5.1.1", f"Status: {status}".encode()),
        (b"550 5.1.1 <ann@example.com>", b"see above"),
    )
    assert bounce(mail).severity is severity


@pytest.mark.parametrize("action", ["delivered", "relayed", "expanded"])
def test_good_news_is_no_bounce(action: str) -> None:
    report = read_report(changed((b"Action: failed", f"Action: {action}".encode())))
    assert report is not None
    assert report.bounces == []


def test_a_status_that_is_missing_is_taken_from_the_diagnosis() -> None:
    assert bounce(changed((b"Status: 5.1.1\n", b""))).status == "5.1.1"


def test_a_report_inside_another_mail_and_in_base64_is_found() -> None:
    inner = b"QWN0aW9uOiBmYWlsZWQKU3RhdHVzOiA1LjEuMQpGaW5hbC1SZWNpcGllbnQ6IHJmYzgyMjsgYUBiLmMK"
    part = b"Content-Type: message/delivery-status\nContent-Transfer-Encoding: base64\n\n" + inner
    report = b"Content-Type: multipart/report; boundary=in\n\n--in\n" + part + b"\n--in--\n"
    mail = b"Content-Type: multipart/mixed; boundary=out\n\n--out\n" + report + b"\n--out--\n"
    assert bounce(mail).recipients == ("a@b.c",)


def test_what_is_cut_off_is_read_as_far_as_it_goes() -> None:
    padded = POSTFIX.replace(b"Subject: Hello\n", b"Subject: Hello\n\n" + b"x" * 70 + b"\n")
    large = padded.replace(b"x" * 70 + b"\n", (b"x" * 70 + b"\n") * 40_000)
    assert len(large) > 2 * LARGEST
    assert bounce(large).status == "5.1.1"


def nested(depth: int) -> bytes:
    heads = (
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(depth)
    )
    return b"".join(heads) + POSTFIX


@pytest.mark.parametrize(
    "mail",
    [
        b"",
        b"\0" * 1000,
        b"Subject: I am on holiday\n\nUntil Monday.\n",
        b"Content-Type: multipart/report\n\nno boundary\n",
        b"Content-Type: multipart/report; boundary=x\n\n--x--\n",
        b"Content-Type: multipart/report; boundary=x\n\n" + b"--x\n" * 100_000,
        nested(4),
        nested(10_000),
        b"Content-Type: " + b"(" * 500_000,
        b"a:b\n" * 200_000,
    ],
    ids=range(10),
)
def test_what_is_no_report_is_told_so_and_soon(mail: bytes) -> None:
    assert read_report(mail) is None


def test_a_report_of_very_many_recipients_is_read_in_part() -> None:
    group = b"Final-Recipient: rfc822; a@b.c\nAction: failed\nStatus: 5.1.1\n\n"
    mail = b"Content-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\n" + group * 10_000
    report = read_report(mail)
    assert report is not None
    assert len(report.bounces) <= 100


@given(st.binary(), st.integers(0, len(POSTFIX)))
def test_no_mail_breaks_the_reader(noise: bytes, place: int) -> None:
    for mail in (noise, POSTFIX[:place] + noise + POSTFIX[place:], POSTFIX[:place]):
        report = read_report(mail)
        assert report is None or all("\n" not in one.reason for one in report.bounces)
