"""`fcm://`: push through Firebase Cloud Messaging, HTTP v1."""

import time
from typing import Any, ClassVar, Self
from urllib.parse import quote

from channels.addresses import address_of
from channels.base import Device, Environment, Outbound, Receiver
from channels.errors import ConfigurationFault, DeviceGone, Throttled
from channels.exchange import (
    answer_of,
    error_of,
    is_taken,
    object_of,
)
from channels.push.content import check_size, collapse_id, data_of, device_of
from channels.push.google_token import AccessToken, ServiceAccount
from channels.push.key_file import read_file
from channels.push.terms import Terms, check_names_file
from communication.channel_url import ChannelUrl, Parameters
from communication.encoding import to_json
from communication.errors import DeliveryError, PermanentDeliveryError, TransientDeliveryError
from communication.http.client import Answer, HttpClient
from communication.lanes import lane_of

_OUTCOMES: dict[str, type[DeliveryError]] = {
    "UNREGISTERED": DeviceGone,  # the app was removed, or its token has run out
    "NOT_FOUND": DeviceGone,
    "INVALID_ARGUMENT": PermanentDeliveryError,
    "SENDER_ID_MISMATCH": PermanentDeliveryError,  # the token is another project's
    "QUOTA_EXCEEDED": Throttled,
    "RESOURCE_EXHAUSTED": Throttled,
    "UNAVAILABLE": TransientDeliveryError,
    "INTERNAL": TransientDeliveryError,
    "DEADLINE_EXCEEDED": TransientDeliveryError,
    "THIRD_PARTY_AUTH_ERROR": ConfigurationFault,  # Firebase's own APNs or Web Push key
    "UNAUTHENTICATED": ConfigurationFault,
    "PERMISSION_DENIED": ConfigurationFault,
}
"""FcmError.errorCode, or else the status of google.rpc.Status, to what it means.

Firebase's documentation: "ErrorCode" of the FCM HTTP v1 API. A code that stands here for
nothing is judged by its HTTP status.
"""
_QUOTA_WAIT = 60.0
"""Seconds, where a quota is used up and no Retry-After says for how long (FCM's own advice)."""

_SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
_API = "https://fcm.googleapis.com"
_FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
_BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest"
_PRIORITIES = {"urgent": ("HIGH", "10"), "normal": ("HIGH", "10"), "bulk": ("NORMAL", "5")}
"""Lane to Android's priority and APNs'. NORMAL waits while a phone sleeps."""
_UNAUTHORIZED, _TOO_MANY = 401, 429


class FcmChannel:
    """Sends to one device at a time, over connections that are kept."""

    platform: ClassVar = "fcm"

    def __init__(
        self,
        account: ServiceAccount,
        client: HttpClient,
        terms: Terms,
        *,
        api: str = _API,
        ttl: float | None = None,
    ) -> None:
        self.provider = f"fcm://{account.project}"
        self.concurrency = terms.concurrency
        self._client = client
        self._token = AccessToken(account, _SCOPE, client)
        self._url = f"{api}/v1/projects/{quote(account.project, safe='')}/messages:send"
        self._timeout = terms.timeout
        self._ttl = ttl

    @classmethod
    def open(cls, url: ChannelUrl, environment: Environment) -> Self:
        """From `fcm:///path/to/service-account.json?ttl=1d&concurrency=64&timeout=10s`.

        Beside them `api=https://host` (in place of Google's), `cafile=/path`, `verify=no`.
        """
        check_names_file(url, "fcm:///path/to/service-account.json")
        parameters = Parameters(url)
        terms = Terms.of(url, parameters, environment)
        api = parameters.text("api", _API).rstrip("/")
        ttl = parameters.duration("ttl", -1.0)
        parameters.end()
        client = HttpClient(None, connections_per_host=terms.concurrency, tls=terms.tls)
        account = read_file(url, ServiceAccount.read)
        return cls(account, client, terms, api=api, ttl=None if ttl < 0 else ttl)

    def address(self, receiver: Receiver) -> str:
        """The app user's id."""
        return address_of(receiver, "push")

    def send(self, outbound: Outbound) -> str:
        """The name that FCM gave the message. DeviceGone if it knows the device no more."""
        device = device_of(outbound, self.platform)
        content = self._content(outbound, device)
        deadline = time.monotonic() + self._timeout
        token = self._token.get(self._timeout)
        answer = self._post(content, token, deadline)
        if answer.status == _UNAUTHORIZED and _code(answer) == "UNAUTHENTICATED":
            # It was revoked before its time: nothing was sent, and a new one may do.
            self._token.forget(token)
            answer = self._post(content, self._token.get(_left(deadline)), deadline)
        if not is_taken(answer):
            raise _error(answer)
        return str(object_of(answer).get("name") or collapse_id(outbound))

    def close(self) -> None:
        """Close idle connections."""
        self._client.close()

    def _post(self, content: bytes, token: str, deadline: float) -> Answer:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        return answer_of(
            lambda: self._client.request(
                "POST", self._url, headers=headers, content=content, timeout=_left(deadline)
            )
        )

    def _content(self, outbound: Outbound, device: Device) -> bytes:
        shown = {
            "notification": {"title": outbound.subject or "", "body": outbound.text},
            "data": data_of(outbound),
        }
        check_size(to_json(shown))
        android_priority, apns_priority = _PRIORITIES[lane_of(outbound.priority)]
        same = collapse_id(outbound)
        # Not Android's collapse_key: of these a device has four at most at a time.
        android: dict[str, Any] = {"priority": android_priority, "notification": {"tag": same}}
        apns = {"headers": {"apns-priority": apns_priority, "apns-collapse-id": same}}
        if self._ttl is not None:
            android["ttl"] = f"{int(self._ttl)}s"
            apns["headers"]["apns-expiration"] = str(int(time.time() + self._ttl))
        return to_json(
            {"message": {"token": device.token, **shown, "android": android, "apns": apns}}
        )


def _left(deadline: float) -> float:
    return max(0.001, deadline - time.monotonic())


def _error(answer: Answer) -> DeliveryError:
    code = _code(answer)
    kind = _OUTCOMES.get(code)
    if kind is PermanentDeliveryError and _names_the_token(answer):
        kind = DeviceGone
    error = error_of(answer, f"{code} {_fault(answer).get('message', '')}".strip(), kind)
    if answer.status == _TOO_MANY and isinstance(error, TransientDeliveryError):
        error.retry_after = _QUOTA_WAIT if error.retry_after is None else error.retry_after
    return error


def _fault(answer: Answer) -> dict[str, Any]:
    error = object_of(answer).get("error")
    return error if isinstance(error, dict) else {}


def _details(answer: Answer, kind: str) -> list[dict[str, Any]]:
    details = _fault(answer).get("details")
    found = details if isinstance(details, list) else []
    return [one for one in found if isinstance(one, dict) and one.get("@type") == kind]


def _code(answer: Answer) -> str:
    """FCM's own code, or else the status of Google's APIs."""
    codes = [one.get("errorCode") for one in _details(answer, _FCM_ERROR)]
    return str(next(filter(None, codes), None) or _fault(answer).get("status") or "")


def _names_the_token(answer: Answer) -> bool:
    """Whether what is invalid is the device's token: it never was one, or is garbled."""
    violations = [
        violation
        for one in _details(answer, _BAD_REQUEST)
        for violation in one.get("fieldViolations") or ()
        if isinstance(violation, dict)
    ]
    return any(violation.get("field") == "message.token" for violation in violations)
