"""SMS through HTTP gateways: the shipped files, and gateways that are slow, rude or dead."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from channels.base import Channel, Outbound, Sender
from channels.errors import ConfigurationFault, OutcomeUnknown
from channels.registry import open_channel
from channels.testing import ChannelContract, environment, outbound
from communication.errors import DeliveryError, PermanentDeliveryError, TransientDeliveryError
from tests.gateways import (
    Asked,
    Reply,
    Server,
    answer,
    elks,
    gateway,
    gatewayapi,
    twilio,
    vonage,
)
from tests.http_peer import peer, says
from tests.integration.test_http_client import certificate, tls_peer

__all__ = ["certificate"]

REPLIES = {"twilio": twilio, "vonage": vonage, "46elks": elks, "gatewayapi": gatewayapi}
SECRET = "0123456789abcdef"


@contextmanager
def opened(url: str, send_timeout: float = 30.0) -> Iterator[Channel]:
    with closing(open_channel(url, environment(Path(), "sms", send_timeout))) as channel:
        yield channel


@contextmanager
def asking(
    reply: Callable[[Asked], Reply],
    query: str,
    *,
    send_timeout: float = 30.0,
    delay: float = 0.0,
    **place: str,
) -> Iterator[tuple[Channel, Server]]:
    """A channel through a gateway that answers so, and the gateway."""
    with (
        gateway(reply, delay=delay) as server,
        opened(server.url(query, **place), send_timeout) as channel,
    ):
        yield channel, server


def sms(**changes: object) -> Outbound:
    return outbound(**{"address": "+46701234567", "text": "Hej", **changes})


def asked_of(name: str, message: Outbound, query: str = "") -> Asked:
    """The request that a shipped file makes of a message."""
    with asking(REPLIES[name], f"gateway={name}{query}") as (channel, server):
        channel.send(message)
    return server.asked[0]


@pytest.mark.parametrize("name", REPLIES)
class TestShipped(ChannelContract):
    @pytest.fixture
    def channel(self, name: str) -> Iterator[Channel]:
        with asking(REPLIES[name], f"gateway={name}&from=Tidings") as (channel, _):
            yield channel


def test_twilio_is_asked_as_its_api_wants() -> None:
    asked = asked_of("twilio", sms(text="å & =", sender=Sender(phone="+15005550006")))

    assert (asked.method, asked.path) == ("POST", "/2010-04-01/Accounts/user/Messages.json")
    assert asked.login == "user:secret"
    assert asked.form == {"To": "+46701234567", "From": "+15005550006", "Body": "å & ="}


def test_twilio_takes_an_api_key_a_service_and_receipts() -> None:
    query = f"&account=AC1&service=MG1&receipts={SECRET}"
    with asking(twilio, f"gateway=twilio{query}") as (channel, server):
        assert channel.send(sms()).startswith("SM")
    asked = server.asked[0]
    assert asked.path == "/2010-04-01/Accounts/AC1/Messages.json"
    assert asked.form["MessagingServiceSid"] == "MG1"
    assert asked.form["StatusCallback"] == f"/receipt/sms?key={SECRET}"


@pytest.mark.parametrize(("text", "kind"), [("Hej å", "text"), ("Привет", "unicode")])
def test_vonage_is_asked_as_its_api_wants(text: str, kind: str) -> None:
    asked = asked_of("vonage", sms(text=text, delivery_id="d-1"), "&from=Acme")

    assert (asked.method, asked.path) == ("POST", "/sms/json")
    assert asked.form == {
        "to": "46701234567",
        "from": "Acme",
        "text": text,
        "type": kind,
        "client-ref": "d-1",
    }


@pytest.mark.parametrize("given", ["+15005550006", "%2B15005550006"])
def test_a_number_to_send_from_may_be_written_with_a_bare_plus(given: str) -> None:
    assert asked_of("twilio", sms(), f"&from={given}").form["From"] == "+15005550006"


def test_vonages_parts_all_have_references() -> None:
    parts = [{"status": "0", "message-id": f"m{number}"} for number in range(3)]
    reply = answer(200, {"message-count": "3", "messages": parts})
    with asking(lambda _: reply, "gateway=vonage") as (channel, _):
        assert channel.send(sms()) == "m0 m1 m2"


def test_46elks_is_asked_as_its_api_wants() -> None:
    asked = asked_of("46elks", sms(sender=Sender(name="Acme & Co")))

    assert (asked.method, asked.path) == ("POST", "/a1/sms")
    assert asked.form == {"to": "+46701234567", "from": "Acme & Co", "message": "Hej"}


def test_gatewayapi_is_asked_as_its_api_wants() -> None:
    asked = asked_of("gatewayapi", sms(text='"}🎉', sender=Sender(name="A name that is too long")))

    assert asked.headers["content-type"] == "application/json"
    assert asked.json == {
        "message": '"}🎉',
        "encoding": "UCS2",
        "userref": sms().delivery_id,
        "recipients": [{"msisdn": "46701234567"}],
    }


def judged(reply: Reply | Callable[[Asked], Reply], name: str = "twilio") -> DeliveryError:
    """What becomes of a message that is answered so."""
    given = reply if callable(reply) else lambda _: reply
    with asking(given, f"gateway={name}") as (channel, server):
        with pytest.raises(DeliveryError) as caught:
            channel.send(sms())
        assert len(server.asked) == 1
    return caught.value


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("twilio", "HTTP 400, 21211: Invalid 'To' Phone Number"),
        ("vonage", "HTTP 200, 6: Unroutable message - rejected"),
        ("46elks", "HTTP 400: Invalid to number"),
        ("gatewayapi", "HTTP 400, 0x0216: Not a valid MSISDN"),
    ],
)
def test_a_refused_number_is_permanent_and_says_why(name: str, why: str) -> None:
    with (
        asking(REPLIES[name], f"gateway={name}") as (channel, _),
        pytest.raises(PermanentDeliveryError) as caught,
    ):
        channel.send(sms(address="no number"))
    assert caught.value.reason == why


def test_a_wrong_password_ends_no_message() -> None:
    with (
        asking(twilio, "gateway=twilio", login="user:wrong") as (channel, _),
        pytest.raises(ConfigurationFault, match="20003: Authenticate") as caught,
    ):
        channel.send(sms())
    assert caught.value.retry_after == 60


@pytest.mark.parametrize(
    ("reply", "kind", "retry_after"),
    [
        (answer(429, {"code": 20429}, Retry_After="7"), TransientDeliveryError, 7),
        (answer(429, {}, Retry_After="soon"), TransientDeliveryError, None),
        (answer(429, {}, Retry_After="\xb2"), TransientDeliveryError, None),
        (answer(503, b"busy", Retry_After="Wed, 21 Oct 2015 07:28:00 GMT"), Exception, 0),
        (answer(500, b""), TransientDeliveryError, None),
        (answer(400, {"code": 21611}), TransientDeliveryError, None),
        (answer(400, {"code": 21606}), ConfigurationFault, 60),
        (answer(302, b"", Location="http://127.0.0.1/"), ConfigurationFault, 60),
        (answer(404, b"<html>"), ConfigurationFault, 60),
        (answer(400, b"[[[[["), PermanentDeliveryError, None),
    ],
)
def test_answers_mean_what_the_file_and_http_say(
    reply: Reply, kind: type[DeliveryError], retry_after: float | None
) -> None:
    error = judged(reply)

    assert isinstance(error, kind)
    assert getattr(error, "retry_after", None) == retry_after
    assert not isinstance(error, OutcomeUnknown)


@pytest.mark.parametrize("body", [b"", b"<html>Log in to the hotel's Wi-Fi", b"[]", b'{"sid": {}}'])
def test_a_yes_without_a_reference_is_no_yes(body: bytes) -> None:
    assert isinstance(judged(answer(200, body)), OutcomeUnknown)


def test_a_code_that_is_neither_yes_nor_known_is_tried_again() -> None:
    error = judged(answer(200, {"messages": [{"status": "99"}]}), "vonage")

    assert isinstance(error, TransientDeliveryError)


@pytest.mark.parametrize(
    "said",
    [
        says(),
        says(b"HTTP/1.1 201 Created\r\nContent-Length: 500\r\n\r\n{", then_hang_up=True),
        says(b"", then_hang_up=True),
        says(b"SSH-2.0-OpenSSH\r\n", then_hang_up=True),
    ],
    ids=["never", "half", "nothing", "ssh"],
)
def test_without_a_whole_answer_the_outcome_is_unknown(said: Callable[..., None]) -> None:
    with peer(said) as server:
        url = server.url.replace("http://", "http://user:secret@") + "?gateway=twilio&timeout=300ms"
        with opened(url) as channel, pytest.raises(OutcomeUnknown):
            channel.send(sms())


def test_a_gateway_that_is_not_there_has_not_got_it() -> None:
    with peer(says()) as server:
        url = server.url
    with (
        opened(f"{url}?gateway=46elks") as channel,
        pytest.raises(TransientDeliveryError) as caught,
    ):
        channel.send(sms())
    assert not isinstance(caught.value, OutcomeUnknown)


def test_a_send_ends_in_its_time() -> None:
    with (
        asking(twilio, "gateway=twilio&timeout=1m", send_timeout=0.3, delay=20) as (channel, _),
        pytest.raises(OutcomeUnknown),
    ):
        channel.send(sms())


def test_a_path_in_the_url_goes_before_that_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(
        'name = "Mine"\n'
        '[parameters]\nregion = "eu"\n'
        "[request]\n"
        'method = "GET"\npath = "/send/{to}"\nauth = "bearer"\n'
        'headers = { X-Id = "{id}" }\n'
        'query = { text = "{text}", region = "{region}", from = "{from}" }\n'
        '[answer]\nreference = "text:^OK ([0-9]+)"\nreason = "text:.+"\npermanent = [418]\n'
    )

    def reply(asked: Asked) -> Reply:
        return answer(200, b"OK 4711") if "to%2Fx" not in asked.path else answer(418, b"no")

    query = f"gateway={file}&region=us"
    with asking(reply, query, path="/base/") as (channel, server):
        assert channel.send(sms(delivery_id="d-1", text="a b&c")) == "4711"
        with pytest.raises(PermanentDeliveryError, match="HTTP 418: no"):
            channel.send(sms(address="to/x"))
    asked = server.asked[0]
    assert (asked.method, asked.body) == ("GET", b"")
    assert asked.path == "/base/send/%2B46701234567?text=a+b%26c&region=us"
    assert (asked.headers["authorization"], asked.headers["x-id"]) == ("Bearer secret", "d-1")


def test_a_header_can_not_be_smuggled_in(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(
        'name = "Mine"\n[request]\nheaders = { X-Text = "{text}" }\n'
        '[answer]\nreference = "json:id"\n'
    )
    with (
        asking(twilio, f"gateway={file}") as (channel, server),
        pytest.raises(ConfigurationFault, match="X-Text"),
    ):
        channel.send(sms(text="a\r\nX-Evil: 1"))
    assert server.asked == []


def test_a_wrong_certificate_is_no_message_sent(certificate: Path) -> None:
    """Its name is another's, and nobody vouches for it."""
    with tls_peer(certificate) as port:
        for query in ("gateway=46elks", f"gateway=46elks&cafile={certificate}"):
            with (
                opened(f"https://user:secret@127.0.0.1:{port}?{query}") as channel,
                pytest.raises(ConfigurationFault, match="certificate"),
            ):
                channel.send(sms())
