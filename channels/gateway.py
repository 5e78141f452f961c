"""`https://…?gateway=name`: SMS through an HTTP gateway that a TOML file describes."""

import re
import ssl
from collections.abc import Callable
from typing import Self

from channels.addresses import address_of
from channels.base import Environment, Outbound, Receiver, Sender
from channels.errors import ConfigurationFault, OutcomeUnknown, Throttled
from channels.exchange import answer_of
from communication.channel_url import ChannelUrl
from communication.clock import now
from communication.errors import (
    DeliveryError,
    PermanentDeliveryError,
    TransientDeliveryError,
)
from communication.gateway.answer import Judgement, Verdict, judge
from communication.gateway.gateway import Gateway
from communication.gateway.request import build_request
from communication.http.client import HttpClient
from communication.sms_text import measure

_SENDER_NUMBER = re.compile(r"\+?[0-9]{3,15}")
_SENDER_NAME = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 ._&-]{1,11}")
_ACCOUNT_PAUSE = 60.0
"""Seconds before another try where the gateway refuses us: somebody must mend a setting."""
_ANSWER = 64 * 1024


class GatewayChannel:
    """Makes one HTTP request for each message, over connections that are kept."""

    def __init__(self, gateway: Gateway, environment: Environment, http: HttpClient) -> None:
        self.provider = gateway.provider
        # A user that stands alone is a token.
        self.account = gateway.own.get("account") or (gateway.user if gateway.password else "")
        self.concurrency = gateway.concurrency
        self.awaits_receipt = bool(gateway.secret)
        self._gateway = gateway
        self._medium = environment.medium
        self._receipt_url = gateway.receipt_url(environment.public_url, environment.medium)
        self._http = http

    @classmethod
    def open(cls, url: ChannelUrl, environment: Environment) -> Self:
        """From `https://user:password@host?gateway=twilio&from=+15005550006&receipts=secret`.

        Beside them `concurrency`, `timeout`, `cafile` and what the gateway's file declares.
        """
        if environment.medium != "sms":
            raise url.fault("sends SMS only")
        gateway = Gateway.of(url)
        http = HttpClient(
            None,
            timeout=min(gateway.timeout, environment.send_timeout),
            connections_per_host=gateway.concurrency,
            max_body=_ANSWER,
            tls=_tls(url, gateway.cafile),
        )
        return cls(gateway, environment, http)

    def address(self, receiver: Receiver) -> str:
        """The receiver's phone number."""
        return address_of(receiver, self._medium)

    def send(self, outbound: Outbound) -> str:
        """The gateway's reference.

        OutcomeUnknown if the request may have arrived and no whole answer came, or one that
        says yes without a reference.
        """
        request = build_request(self._gateway, self._values(outbound))
        try:
            answer = answer_of(
                lambda: self._http.request(
                    request.method, request.url, headers=request.headers, content=request.content
                )
            )
        except PermanentDeliveryError as error:  # the URL is the operator's
            raise ConfigurationFault(error.reason, retry_after=_ACCOUNT_PAUSE) from error
        table = self._gateway.description.answer
        judgement = judge(table, answer.status, answer.headers, answer.body, now())
        if judgement.verdict is Verdict.ACCEPTED:
            return judgement.reference
        raise _FAILURES[judgement.verdict](judgement)

    def close(self) -> None:
        """Close idle connections."""
        self._http.close()

    def _values(self, outbound: Outbound) -> dict[str, str]:
        size = measure(outbound.text)
        return {
            "to": outbound.address,
            "to_digits": outbound.address.removeprefix("+"),
            "from": _sender(outbound.sender) or self._gateway.sender,
            "text": outbound.text,
            "id": outbound.delivery_id,
            "encoding": self._gateway.description.encoding.get(size.encoding, ""),
            "priority": str(outbound.priority),
            "receipt_url": self._receipt_url,
        }


def _sender(sender: Sender) -> str:
    """What of the message's sender can be an SMS's: a number, or a name of 11 characters."""
    if sender.phone and _SENDER_NUMBER.fullmatch(sender.phone):
        return sender.phone
    name = sender.name or ""
    return name if _SENDER_NAME.fullmatch(name) or _SENDER_NUMBER.fullmatch(name) else ""


def _tls(url: ChannelUrl, cafile: str) -> ssl.SSLContext | None:
    if not cafile:
        return None
    try:
        return ssl.create_default_context(cafile=cafile)
    except OSError as error:
        raise url.fault(f"cafile={cafile} can't be used: {error.strerror or error}") from error


def _account_fault(judgement: Judgement) -> DeliveryError:
    pause = max(_ACCOUNT_PAUSE, judgement.retry_after or 0)
    return ConfigurationFault(judgement.reason, retry_after=pause)


_FAILURES: dict[Verdict, Callable[[Judgement], DeliveryError]] = {
    Verdict.PERMANENT: lambda one: PermanentDeliveryError(one.reason),
    Verdict.TRANSIENT: lambda one: TransientDeliveryError(one.reason, retry_after=one.retry_after),
    Verdict.BUSY: lambda one: Throttled(
        one.reason, retry_after=one.retry_after, keep_away=one.retry_after or 0.0
    ),
    Verdict.ACCOUNT: _account_fault,
    Verdict.PUZZLING: lambda one: OutcomeUnknown(one.reason),
}
