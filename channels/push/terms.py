"""What the URLs of all push services may say."""

import ssl
from dataclasses import dataclass
from typing import Self

from channels.base import Environment
from channels.endpoint import tls_context
from communication.channel_url import ChannelUrl, Parameters

_CONCURRENCY = 64
_TIMEOUT = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How many sends may run side by side, how long each may take, and whom TLS trusts."""

    concurrency: int
    timeout: float
    tls: ssl.SSLContext

    @classmethod
    def of(
        cls,
        url: ChannelUrl,
        parameters: Parameters,
        environment: Environment,
        *,
        concurrency: int = _CONCURRENCY,
    ) -> Self:
        """From `concurrency=64`, `timeout=10s`, `cafile=/path` and `verify=no`.

        SettingsError for a medium other than push.
        """
        if environment.medium != "push":
            raise url.fault("sends push only")
        return cls(
            concurrency=parameters.count("concurrency", concurrency),
            timeout=min(
                parameters.duration("timeout", _TIMEOUT, least=0.001), environment.send_timeout
            ),
            tls=tls_context(url, parameters),
        )


def check_names_file(url: ChannelUrl, example: str, *, host: bool = False) -> None:
    """SettingsError unless the URL names a file, and a host if one is wanted."""
    if bool(url.host) != host or url.user is not None or not url.path.strip("/"):
        raise url.fault(f"looks like {example}")
