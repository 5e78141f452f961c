"""Receipts by webhook, as the shipped gateways send them."""

import hmac
import json
from base64 import b64encode
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import pytest
from falcon import testing
from sqlalchemy import update

from communication.channel_url import ChannelUrl
from communication.clock import now
from communication.errors import SettingsError
from communication.gateway.fields import Said
from communication.gateway.gateway import Gateway
from communication.gateway.receipts import is_signed
from communication.model import DELIVERY, EARLY_RECEIPT, State
from communication.store import Store
from tests.api import check_error, client
from tests.messages import email, rows, states, store_message
from worker.outcomes import Outcome, settle

KEYS = {name: f"secret-of-{name}-0123" for name in ("twilio", "vonage", "46elks", "gatewayapi")}
PROVIDER = "https://gateway.example"
SMS_URL = ",".join(
    f"https://user:token@gateway.example?gateway={name}&receipts={key}&from=a,b"
    for name, key in KEYS.items()
)
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def store(sqlite_store: Store) -> Store:
    """What becomes of receipts on either database is tests/integration/test_receipts.py's."""
    return sqlite_store


def api(store: Store, sms_url: str = SMS_URL) -> testing.TestClient:
    return client(store, sms_url=sms_url, public_url="https://tidings.example")


def sent(store: Store, reference: str) -> None:
    """A delivery that awaits its receipt."""
    store_message(store, email())
    with store.write() as connection:
        pending = DELIVERY.c.state == State.PENDING
        connection.execute(update(DELIVERY).where(pending).values(lease="w", state=State.SENDING))
    row = rows(store, DELIVERY)[-1]
    outcome = Outcome(
        delivery_key=row.key,
        message_key=row.message_key,
        attempts=1,
        state=State.SENT,
        at=now(),
        due_at=now(),
        provider=PROVIDER,
        reference=reference,
    )
    with store.write() as connection:
        settle(connection, [outcome], lease="w", now=now())


def told(
    store: Store, name: str, fields: Mapping[str, Any], *, as_json: bool = False
) -> testing.Result:
    body = json.dumps(fields) if as_json else urlencode(fields)
    headers = {"Content-Type": "application/json"} if as_json else FORM
    return api(store).simulate_post(
        "/receipt/sms", query_string=f"key={KEYS[name]}", body=body, headers=headers
    )


@pytest.mark.parametrize(
    ("name", "fields", "as_json", "reason"),
    [
        ("vonage", {"messageId": "r", "status": "failed", "err-code": "6"}, False, "6"),
        ("vonage", {"messageId": "r", "status": "failed", "err-code": "6"}, True, "6"),
        ("46elks", {"id": "r", "status": "failed"}, False, None),
        ("gatewayapi", {"id": "r", "status": "UNDELIVERABLE", "error": "Absent"}, True, "Absent"),
    ],
)
def test_a_gateways_receipt_ends_the_delivery(
    store: Store, name: str, fields: dict[str, Any], *, as_json: bool, reason: str | None
) -> None:
    sent(store, "r")

    assert told(store, name, fields, as_json=as_json).status_code == 200

    (delivery,) = rows(store, DELIVERY)
    expected = f"undeliverable: {reason}" if reason else "undeliverable"
    assert (delivery.state, delivery.reason) == (State.FAILED, expected)


def test_numbers_of_json_are_references_too(store: Store) -> None:
    sent(store, "4711")

    told(store, "gatewayapi", {"id": 4711, "status": "DELIVERED"}, as_json=True)

    assert states(store) == [State.DELIVERED]


def test_vonage_may_ask_with_get(store: Store) -> None:
    sent(store, "r")
    query = urlencode({"key": KEYS["vonage"], "messageId": "r", "status": "delivered"})

    assert api(store).simulate_get("/receipt/sms", query_string=query).status_code == 200

    assert states(store) == [State.DELIVERED]


@pytest.mark.parametrize("status", ["accepted", "buffered", "unknown", "a new word"])
def test_what_is_not_final_ends_nothing(store: Store, status: str) -> None:
    sent(store, "r")

    assert told(store, "vonage", {"messageId": "r", "status": status}).status_code == 200

    assert states(store) == [State.SENT]


def test_a_receipt_of_another_gateway_with_the_same_reference_is_early(store: Store) -> None:
    told(store, "46elks", {"id": "r", "status": "delivered"})

    assert [row.reference for row in rows(store, EARLY_RECEIPT)] == ["r"]


def test_twilios_receipts_are_signed(store: Store) -> None:
    sent(store, "SM1")
    url = f"https://tidings.example/receipt/sms?key={KEYS['twilio']}"
    fields = {"MessageSid": "SM1", "MessageStatus": "undelivered", "ErrorCode": "30003"}
    good = _signature("token", url, fields)

    def post(signature: str | None, body: Mapping[str, str] = fields) -> testing.Result:
        headers = {**FORM, **({"X-Twilio-Signature": signature} if signature else {})}
        return api(store).simulate_post(
            "/receipt/sms",
            query_string=f"key={KEYS['twilio']}",
            body=urlencode(body),
            headers=headers,
        )

    for bad in (None, "", "x", _signature("wrong", url, fields), "ÿ"):
        check_error(post(bad), 401, 41, "signature")
    check_error(post(good, {**fields, "MessageStatus": "delivered"}), 401, 41, "signature")
    assert states(store) == [State.SENT]

    assert post(good).status_code == 200
    assert rows(store, DELIVERY)[0].reason == "undeliverable: 30003"


def test_twilios_own_example_of_a_signature() -> None:
    """From twilio.com/docs/usage/security."""
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    fields = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+14158675309",
        "Digits": "1234",
        "From": "+14158675309",
        "To": "+18005551212",
    }
    gateway = Gateway.of(
        ChannelUrl.parse(f"https://AC1:12345@api.twilio.com?gateway=twilio&receipts={'x' * 16}")
    )
    said = Said(headers={"x-twilio-signature": "RSOYDt4T1cUTdK1PDd93/VVr8B8="})

    assert is_signed(gateway, said, url, fields.items())
    assert not is_signed(gateway, said, f"{url}3", fields.items())


def test_strangers_learn_nothing(store: Store) -> None:
    posting = api(store).simulate_post
    check_error(posting("/receipt/sms"), 401, 40, "key=")
    check_error(posting("/receipt/sms?key="), 401, 40)
    check_error(posting("/receipt/sms?key=wrong"), 401, 41)
    check_error(posting("/receipt/sms?key=%ff%00"), 401, 41)
    check_error(posting(f"/receipt/email?key={KEYS['vonage']}"), 404, 60)
    check_error(posting("/receipt/pigeon?key=x"), 404, 60)
    check_error(api(store, "folder://").simulate_post("/receipt/sms?key=x"), 404, 60)
    check_error(api(store).simulate_delete("/receipt/sms"), 405, 61)


@pytest.mark.parametrize(
    "body",
    ["", "x", "[]", "null", "status=delivered", "messageId=&status=delivered", "messageId=r", "%"],
)
def test_what_is_no_receipt_is_refused(store: Store, body: str) -> None:
    for headers in (FORM, {"Content-Type": "application/json"}, {}):
        answer = api(store).simulate_post(
            f"/receipt/sms?key={KEYS['vonage']}", body=body, headers=headers
        )
        check_error(answer, 400, 22, "no receipt of Vonage")


def test_a_flood_of_fields_or_bytes_is_refused(store: Store) -> None:
    many = "&".join(f"a{number}=1" for number in range(1000))
    posting = api(store).simulate_post
    url = f"/receipt/sms?key={KEYS['vonage']}"
    check_error(posting(url, body=many, headers=FORM), 400, 22)
    check_error(posting(url, body="a" * 300_000, headers=FORM), 413, 22)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("https://gateway.example", "gateway= is missing"),
        ("https://gateway.example?gateway=pigeon", "none of 46elks, gatewayapi, twilio, vonage"),
        ("https://gateway.example?gateway=/no/such.toml", "can't be read: No such file"),
        ("https://gateway.example?gateway=twilio&receipts=short", "16 to 64"),
        ("http://gateway.example?gateway=twilio", "in clear"),
    ],
)
def test_a_gateway_that_can_not_be_used_is_explained_at_start(
    store: Store, url: str, says: str
) -> None:
    with pytest.raises(SettingsError, match=says):
        api(store, url)


def _signature(token: str, url: str, fields: Mapping[str, str]) -> str:
    signed = url + "".join(name + fields[name] for name in sorted(fields))
    return b64encode(hmac.new(token.encode(), signed.encode(), "sha1").digest()).decode()


def test_a_secret_that_tells_of_two_gateways_stops_the_start(store: Store) -> None:
    two = "".join(
        f",https://user:token@{name}.example?gateway={name}&receipts=one-secret-for-both"
        for name in ("vonage", "twilio")
    )
    with pytest.raises(SettingsError, match="TIDINGS_SMS_URL: each URL's receipts= must be"):
        api(store, two.lstrip(","))
