"""Reports of mails that came back, for tests."""

from communication.mail.bounce_address import BounceAddress
from communication.wire.mailbox import mailbox

SECRET = "only we know this"
ADDRESS = BounceAddress(base=mailbox("bounce@bounces.example"), secrets=[SECRET])

_REPORT = """\
From: MAILER-DAEMON@mx.example.net
To: {to}
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="a/b"

--a/b
Content-Type: text/plain

It did not arrive.

--a/b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.net

Final-Recipient: rfc822; {recipient}
Action: {action}
Status: {status}
Diagnostic-Code: smtp; 550 {status} so it is

--a/b
Content-Type: message/rfc822

Message-ID: {message_id}
Subject: Hello

--a/b--
"""


def report(
    *,
    to: str = "postmaster@example.org",
    recipient: str = "receiver-0@example.com",
    action: str = "failed",
    status: str = "5.1.1",
    message_id: str = "<other@example.org>",
) -> bytes:
    """A delivery status notification as Postfix writes it."""
    return _REPORT.format(
        to=to, recipient=recipient, action=action, status=status, message_id=message_id
    ).encode()
