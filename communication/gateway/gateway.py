"""A gateway as a channel URL sets it up: for the channel that sends, and for its receipts.

`https://user:password@api.example.com?gateway=twilio&from=+15005550006&receipts=a-long-secret`
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import quote

from communication.channel_url import ChannelUrl, Parameters, split_urls
from communication.errors import SettingsError
from communication.gateway.description import Description, load_description
from communication.settings import Settings, is_loopback

SCHEMES = ("https", "http")
_SECRET = re.compile("[A-Za-z0-9_-]{16,64}")
_CONCURRENCY = 64
_TIMEOUT = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """One gateway, and our account at it."""

    description: Description
    base: str
    """The URL up to the path of the gateway's file."""
    provider: str
    user: str
    password: str = field(repr=False)
    sender: str
    """Where the message names none."""
    secret: str = field(repr=False)
    """In the URL of the webhook that its receipts come to; "": it sends none."""
    own: Mapping[str, str]
    """Values of the file's own parameters."""
    concurrency: int
    timeout: float
    cafile: str

    @classmethod
    def of(cls, url: ChannelUrl, *, insist: bool = True) -> Self:
        """SettingsError for anything that can't be used.

        Without `insist` parameters that nobody knows are left alone.
        """
        parameters = Parameters(url)
        name = parameters.text("gateway", "")
        if not name:
            raise url.fault("gateway= is missing: the name of a gateway, or of its file")
        try:
            description = load_description(name)
        except SettingsError as error:
            raise url.fault(str(error)) from error
        origin = _origin(url)
        gateway = cls(
            description=description,
            base=origin + quote(url.path.rstrip("/"), safe="/"),
            provider=origin,
            user=url.user or "",
            password=url.password or "",
            sender=_sender(parameters.text("from", "")),
            secret=_secret(url, parameters, description),
            own={one: parameters.text(one, "") for one in description.parameters},
            concurrency=parameters.count("concurrency", _CONCURRENCY),
            timeout=parameters.duration("timeout", _TIMEOUT, least=0.001),
            cafile=parameters.text("cafile", ""),
        )
        if insist:
            parameters.end()
        return gateway

    def receipt_url(self, public_url: str, medium: str) -> str:
        """What the gateway is told to post receipts to; "" where none are wanted."""
        return f"{public_url}/receipt/{medium}?key={self.secret}" if self.secret else ""


def receiving_gateways(settings: Settings, medium: str) -> list[Gateway]:
    """Those of a medium's channels whose receipts come by webhook.

    SettingsError for two with the same secret: it tells whose a receipt is.
    """
    urls = [ChannelUrl.parse(text) for text in split_urls(settings.channel_url(medium))]
    known: dict[str, Gateway] = {}
    for url in urls:
        gateway = Gateway.of(url, insist=False) if url.scheme in SCHEMES else None
        if gateway and gateway.secret in known:
            name = f"TIDINGS_{medium.upper()}_URL"
            raise SettingsError(f"{name}: each URL's receipts= must be a secret of its own")
        if gateway and gateway.secret:
            known[gateway.secret] = gateway
    return list(known.values())


def _origin(url: ChannelUrl) -> str:
    if not url.host:
        raise url.fault("a host is missing")
    if url.scheme == "http" and not is_loopback(url.host):
        raise url.fault("would send the password in clear; use https:// beyond this machine")
    host = f"[{url.host}]" if ":" in url.host else url.host
    return f"{url.scheme}://{host}" + (f":{url.port}" if url.port else "")


def _sender(text: str) -> str:
    """A bare `+` in a query stands for a space; no sender begins with one."""
    return f"+{text[1:]}" if text.startswith(" ") else text


def _secret(url: ChannelUrl, parameters: Parameters, description: Description) -> str:
    secret = parameters.text("receipts", "")
    if secret and description.receipt is None:
        raise url.fault(f"receipts=: {description.name} sends none, as far as its file says")
    if secret and not _SECRET.fullmatch(secret):
        raise url.fault("receipts= must be a secret of 16 to 64 letters, digits, - and _")
    return secret
