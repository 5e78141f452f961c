"""`webpush://`: push to browsers and UnifiedPush apps (RFC 8030, 8291, 8292)."""

import re
from typing import ClassVar, Self
from urllib.parse import urlsplit

from channels.addresses import address_of
from channels.base import Environment, Outbound, Receiver
from channels.errors import ConfigurationFault, DeviceGone
from channels.exchange import answer_of, error_of, is_taken
from channels.push.aes128gcm import OVERHEAD, encrypt
from channels.push.content import MOST_OCTETS, check_size, collapse_id, data_of, device_of
from channels.push.key_file import read_file, read_p256_key
from channels.push.terms import Terms, check_names_file
from channels.push.vapid import Vapid
from communication.channel_url import ChannelUrl, Parameters
from communication.encoding import to_json
from communication.errors import DeliveryError, PermanentDeliveryError
from communication.http.client import Answer, HttpClient
from communication.lanes import lane_of

_OUTCOMES: dict[int, type[DeliveryError]] = {
    400: PermanentDeliveryError,
    401: ConfigurationFault,  # the VAPID key or its subject is refused,
    403: ConfigurationFault,  # or the browser subscribed with another key
    404: DeviceGone,
    410: DeviceGone,
    413: PermanentDeliveryError,  # too large (RFC 8030 §7.2)
}
"""Status to what it means (RFC 8030 §5, §7.3, §8.4); others as for every HTTP provider."""

_URGENCIES = {"urgent": "high", "normal": "normal", "bulk": "low"}
"""Lane to Urgency (RFC 8030 §5.3): `low` waits until the device has power and Wi-Fi."""
_TTL = 28 * 86_400.0
"""Seconds: Google's limit, the shortest of the browsers'."""
_SUBJECT = re.compile(r"(mailto:[^\s@]+@[^\s@]+|https://[^\s]+)")


class WebPushChannel:
    """Posts to one subscription at a time, wherever its browser's push service is.

    Endpoints are named by clients: they are called through the guard.
    """

    platform: ClassVar = "webpush"
    provider = "webpush://"

    def __init__(
        self, vapid: Vapid, client: HttpClient, terms: Terms, *, ttl: float = _TTL
    ) -> None:
        self.concurrency = terms.concurrency
        self._vapid = vapid
        self._client = client
        self._timeout = terms.timeout
        self._ttl = ttl

    @classmethod
    def open(cls, url: ChannelUrl, environment: Environment) -> Self:
        """From `webpush:///path/to/vapid.pem?subject=mailto:ops@example.com&ttl=28d`.

        Beside them `concurrency=64`, `timeout=10s`, `cafile=/path`, `verify=no`.
        """
        check_names_file(url, "webpush:///path/to/vapid.pem")
        parameters = Parameters(url)
        terms = Terms.of(url, parameters, environment)
        subject = parameters.text("subject", "")
        ttl = parameters.duration("ttl", _TTL)
        parameters.end()
        if not _SUBJECT.fullmatch(subject):
            raise url.fault("subject must be given: mailto: or https:, whom push services write to")
        guard, width = environment.guard, terms.concurrency
        client = HttpClient(guard, connections_per_host=width, tls=terms.tls)
        return cls(Vapid(read_file(url, read_p256_key), subject), client, terms, ttl=ttl)

    def address(self, receiver: Receiver) -> str:
        """The app user's id."""
        return address_of(receiver, "push")

    def host_of(self, outbound: Outbound) -> str:
        """The push service's: each is a provider of its own, which rests by itself."""
        return urlsplit(device_of(outbound, self.platform).token).netloc.lower()

    def send(self, outbound: Outbound) -> str:
        """Where the push service keeps the message. DeviceGone if the subscription has ended."""
        device = device_of(outbound, self.platform)
        content = encrypt(_content(outbound), device.keys)
        headers = {
            "Authorization": self._vapid.authorization(device.token),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(int(self._ttl)),
            "Urgency": _URGENCIES[lane_of(outbound.priority)],
            "Topic": collapse_id(outbound),
        }
        answer = answer_of(
            lambda: self._client.request(
                "POST", device.token, headers=headers, content=content, timeout=self._timeout
            )
        )
        if not is_taken(answer):
            raise error_of(answer, _said(answer), _OUTCOMES.get(answer.status))
        # The path of a message's URL may tell the subscription's: its end names the message.
        return answer.headers.get("location", "").rpartition("/")[2] or collapse_id(outbound)

    def close(self) -> None:
        """Close idle connections."""
        self._client.close()


def _content(outbound: Outbound) -> bytes:
    content = to_json(
        {"title": outbound.subject or "", "body": outbound.text, "data": data_of(outbound)}
    )
    check_size(content, MOST_OCTETS - OVERHEAD)
    return content


def _said(answer: Answer) -> str:
    """The first line of what the service says, in whichever form."""
    text = answer.body.decode("utf-8", "replace").strip()
    return "".join(letter for letter in text.partition("\n")[0] if letter.isprintable())
