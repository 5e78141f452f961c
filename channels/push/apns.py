"""`apns://`: push through the Apple Push Notification service, HTTP/2 with a signing key."""

import re
import time
from typing import Any, ClassVar, Self

from channels.addresses import address_of
from channels.base import Device, Environment, Outbound, Receiver
from channels.errors import ConfigurationFault, DeviceGone, ReceiverBusy
from channels.exchange import (
    answer_of,
    error_of,
    is_taken,
    moment_of,
    object_of,
)
from channels.push.apns_token import ProviderToken
from channels.push.content import check_size, collapse_id, data_of, device_of, notification_id
from channels.push.http2_client import Http2Client
from channels.push.key_file import read_file, read_p256_key
from channels.push.terms import Terms, check_names_file
from communication.channel_url import ChannelUrl, Parameters
from communication.encoding import to_json
from communication.errors import DeliveryError, PermanentDeliveryError, TransientDeliveryError
from communication.http.client import Answer
from communication.lanes import lane_of

_OUTCOMES: dict[str, type[DeliveryError]] = {
    "BadDeviceToken": DeviceGone,
    "ExpiredToken": DeviceGone,
    "Unregistered": DeviceGone,  # the app was removed
    "DeviceTokenNotForTopic": PermanentDeliveryError,  # the token is another app's
    "BadCollapseId": PermanentDeliveryError,
    "BadExpirationDate": PermanentDeliveryError,
    "BadMessageId": PermanentDeliveryError,
    "BadPriority": PermanentDeliveryError,
    "PayloadEmpty": PermanentDeliveryError,
    "PayloadTooLarge": PermanentDeliveryError,
    "IdleTimeout": TransientDeliveryError,
    "TooManyRequests": ReceiverBusy,  # to this one device
    "InternalServerError": TransientDeliveryError,
    "ServiceUnavailable": TransientDeliveryError,
    "Shutdown": TransientDeliveryError,
    "BadTopic": ConfigurationFault,
    "MissingTopic": ConfigurationFault,
    "TopicDisallowed": ConfigurationFault,
    "Forbidden": ConfigurationFault,
    "InvalidProviderToken": ConfigurationFault,
    "ExpiredProviderToken": ConfigurationFault,
    "MissingProviderToken": ConfigurationFault,
    "UnrelatedKeyIdInToken": ConfigurationFault,
    "BadEnvironmentKeyIdInToken": ConfigurationFault,
    "TooManyProviderTokenUpdates": ConfigurationFault,
}
"""Apple's `reason` to what it means ("Handling notification responses from APNs").

A reason that does not stand here is judged by its HTTP status; 410 is always DeviceGone.
"""
_GONE = 410

_HOSTS = {"production": "api.push.apple.com", "sandbox": "api.sandbox.push.apple.com"}
_PRIORITIES = {"urgent": "10", "normal": "10", "bulk": "5"}
"""Lane to apns-priority; 5 waits until it suits the phone's battery."""
_PORT = 443
_TTL = 30 * 86_400.0
_APPLE_ID = re.compile("[A-Z0-9]{10}")
_TOPIC = re.compile(r"[A-Za-z0-9.-]{1,255}")


class ApnsChannel:
    """Sends to one device at a time, all over one connection."""

    platform: ClassVar = "apns"

    def __init__(
        self,
        client: Http2Client,
        token: ProviderToken,
        terms: Terms,
        *,
        topic: str,
        provider: str = "apns://",
        ttl: float = _TTL,
    ) -> None:
        self.provider = provider
        self.account = topic
        self.concurrency = terms.concurrency
        self._client = client
        self._token = token
        self._topic = topic
        self._timeout = terms.timeout
        self._ttl = ttl

    @classmethod
    def open(cls, url: ChannelUrl, environment: Environment) -> Self:
        """From `apns://production/path/to/AuthKey.p8?key=KEYID&team=TEAMID&topic=com.example.app`.

        `sandbox` or a host of one's own may stand for `production`. Beside the three `ttl=30d`,
        `concurrency=64`, `timeout=10s`, `cafile=/path`, `verify=no`.
        """
        check_names_file(url, "apns://production/path/to/AuthKey.p8", host=True)
        parameters = Parameters(url)
        terms = Terms.of(url, parameters, environment)
        key_id = _checked(url, parameters, "key", _APPLE_ID)
        team = _checked(url, parameters, "team", _APPLE_ID)
        topic = _checked(url, parameters, "topic", _TOPIC)
        ttl = parameters.duration("ttl", _TTL)
        parameters.end()
        return cls(
            Http2Client(_HOSTS.get(url.host, url.host), url.port or _PORT, terms.tls),
            ProviderToken(read_file(url, read_p256_key), key_id=key_id, team=team),
            terms,
            topic=topic,
            provider=f"apns://{url.host}" + (f":{url.port}" if url.port else ""),
            ttl=ttl,
        )

    def address(self, receiver: Receiver) -> str:
        """The app user's id."""
        return address_of(receiver, "push")

    def send(self, outbound: Outbound) -> str:
        """The apns-id, which is ours. DeviceGone if Apple knows the device no more."""
        device = device_of(outbound, self.platform)
        content = _content(outbound)
        deadline = time.monotonic() + self._timeout
        token = self._token.get()
        answer = self._post(outbound, device, content, token, deadline)
        if _reason(answer) == "ExpiredProviderToken" and self._token.renew(token):
            # Our clock and Apple's differ: nothing was sent, and a new token may do.
            answer = self._post(outbound, device, content, self._token.get(), deadline)
        if not is_taken(answer):
            raise _error(answer)
        return answer.headers.get("apns-id") or notification_id(outbound, device)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _post(
        self, outbound: Outbound, device: Device, content: bytes, token: str, deadline: float
    ) -> Answer:
        headers = [
            ("authorization", f"bearer {token}"),
            ("apns-id", notification_id(outbound, device)),
            ("apns-topic", self._topic),
            ("apns-push-type", "alert"),
            ("apns-priority", _PRIORITIES[lane_of(outbound.priority)]),
            ("apns-expiration", str(int(time.time() + self._ttl)) if self._ttl else "0"),
            ("apns-collapse-id", collapse_id(outbound)),
            ("content-type", "application/json"),
            ("content-length", str(len(content))),
        ]
        left = max(0.001, deadline - time.monotonic())
        return answer_of(
            lambda: self._client.request(
                "POST",
                f"/3/device/{device.token}",
                headers=headers,
                content=content,
                timeout=left,
            )
        )


def _content(outbound: Outbound) -> bytes:
    alert: dict[str, Any] = {"body": outbound.text}
    if outbound.subject:
        alert["title"] = outbound.subject
    content = to_json({"aps": {"alert": alert, "sound": "default"}, **data_of(outbound)})
    check_size(content)
    return content


def _reason(answer: Answer) -> str:
    return "" if is_taken(answer) else str(object_of(answer).get("reason") or "")


def _error(answer: Answer) -> DeliveryError:
    said = _reason(answer)
    kind = DeviceGone if answer.status == _GONE else _OUTCOMES.get(said)
    error = error_of(answer, said, kind)
    if isinstance(error, DeviceGone):
        error.since = moment_of(object_of(answer).get("timestamp"))
    return error


def _checked(url: ChannelUrl, parameters: Parameters, name: str, pattern: "re.Pattern[str]") -> str:
    value = parameters.text(name, "")
    if not pattern.fullmatch(value):
        raise url.fault(f"{name} must be given, as Apple's developer pages show it")
    return value
