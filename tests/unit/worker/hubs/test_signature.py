import pytest
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from communication.clock import now
from communication.hubs.registration import new_secret
from worker.hubs.signature import signed_headers

BODY = '{"eventType":"Ä"}'.encode()


def test_the_reference_library_verifies_a_callback() -> None:
    secret = new_secret()

    headers = signed_headers([secret], "e1", BODY, at=now())

    assert Webhook(secret).verify(BODY, headers) == {"eventType": "Ä"}
    assert headers["webhook-id"] == "e1"


def test_while_a_secret_is_replaced_either_verifies() -> None:
    new, old = new_secret(), new_secret()

    headers = signed_headers([new, old], "e1", BODY, at=now())

    Webhook(new).verify(BODY, headers)
    Webhook(old).verify(BODY, headers)


@pytest.mark.parametrize("change", ["body", "webhook-id", "webhook-timestamp", "secret"])
def test_whatever_is_changed_is_refused(change: str) -> None:
    secret = new_secret()
    headers = signed_headers([secret], "e1", BODY, at=now())
    body = b"{}" if change == "body" else BODY
    if change in headers:
        headers[change] += "1"

    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret() if change == "secret" else secret).verify(body, headers)
