"""`ntfy://` and `ntfy+http://`: push through an ntfy server, to devices that watch a topic."""

import base64
import re
from typing import ClassVar, Self

from channels.addresses import address_of
from channels.base import Environment, Outbound, Receiver
from channels.endpoint import host_of, in_url
from channels.exchange import answer_of, error_of, is_taken, object_of
from channels.identifiers import plain
from channels.push.content import check_size, collapse_id, device_of
from channels.push.terms import Terms
from communication.channel_url import ChannelUrl, Parameters
from communication.encoding import to_json
from communication.errors import DeliveryError
from communication.http.client import Answer, HttpClient
from communication.lanes import lane_of

# What an ntfy server answers, by HTTP status alone, means what it means of every HTTP provider:
# 400, 404 and 413 are permanent; 401 and 403 are our login's fault; 408, 429, 507 and other 5xx
# pass. No status says that a device is gone: a topic needs no subscriber.

_PRIORITIES = {"urgent": 5, "normal": 3, "bulk": 2}
"""Lane to ntfy's priority, where 5 rings loudest."""
_SEQUENCE = re.compile("[A-Za-z0-9_-]{1,64}")
_CONCURRENCY = 16


class NtfyChannel:
    """Publishes to one topic at a time, as JSON."""

    platform: ClassVar = "ntfy"

    def __init__(
        self,
        url: str,
        client: HttpClient,
        terms: Terms,
        *,
        provider: str = "ntfy://",
        account: str = "",
        authorization: str | None = None,
    ) -> None:
        self.provider = provider
        self.account = account
        self.concurrency = terms.concurrency
        self._url = url
        self._client = client
        self._headers = {"Content-Type": "application/json"}
        if authorization is not None:
            self._headers["Authorization"] = authorization
        self._timeout = terms.timeout

    @classmethod
    def open(cls, url: ChannelUrl, environment: Environment) -> Self:
        """From `ntfy://user:password@host:port`, or `ntfy://:token@host`.

        Parameters are `concurrency=16`, `timeout=10s`, `cafile=/path`, `verify=no`.
        """
        parameters = Parameters(url)
        terms = Terms.of(url, parameters, environment, concurrency=_CONCURRENCY)
        parameters.end()
        place = in_url(host_of(url)) + (f":{url.port}" if url.port else "")
        scheme = "http" if url.scheme == "ntfy+http" else "https"
        return cls(
            f"{scheme}://{place}{url.path.rstrip('/')}/",
            HttpClient(None, connections_per_host=terms.concurrency, tls=terms.tls),
            terms,
            provider=f"{url.scheme}://{place}",
            account=url.user or "",
            authorization=_authorization(url),
        )

    def address(self, receiver: Receiver) -> str:
        """The app user's id."""
        return address_of(receiver, "push")

    def send(self, outbound: Outbound) -> str:
        """The id that the server gave the message."""
        content = self._content(outbound)
        answer = answer_of(
            lambda: self._client.request(
                "POST", self._url, headers=self._headers, content=content, timeout=self._timeout
            )
        )
        if not is_taken(answer):
            raise _error(answer)
        return str(object_of(answer).get("id") or collapse_id(outbound))

    def close(self) -> None:
        """Close idle connections."""
        self._client.close()

    def _content(self, outbound: Outbound) -> bytes:
        device = device_of(outbound, self.platform)
        # More than that a server turns into an attached file.
        check_size(outbound.text.encode())
        return to_json(
            {
                "topic": device.token,
                "title": outbound.subject or "",
                "message": outbound.text,
                "priority": _PRIORITIES[lane_of(outbound.priority)],
                "sequence_id": _sequence(outbound),
            }
        )


def _sequence(outbound: Outbound) -> str:
    """By which a repeat takes the first one's place (ntfy 2.16; older ones pass it by)."""
    name = plain(outbound.delivery_id)
    return name if _SEQUENCE.fullmatch(name) else collapse_id(outbound)


def _authorization(url: ChannelUrl) -> str | None:
    if not url.password:
        if url.user:
            raise url.fault("a login needs both, user:password@host, or a token, :token@host")
        return None
    if not url.user:
        return f"Bearer {url.password}"
    return "Basic " + base64.b64encode(f"{url.user}:{url.password}".encode()).decode()


def _error(answer: Answer) -> DeliveryError:
    body = object_of(answer)
    return error_of(answer, f"{body.get('code', '')} {body.get('error', '')}".strip())
