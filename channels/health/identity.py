"""Whose failures, turns and rests are one: our account at one provider, for one medium."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Self
from urllib.parse import quote

from channels.base import Channel
from communication.channel_url import ChannelUrl
from communication.encoding import to_json


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """The same in every process that has the same settings."""

    medium: str
    provider: str
    """What attempts call it."""
    name: str
    """For the operator's eyes: with our account, where that is no secret."""
    key: str = field(repr=False)
    """May hold a secret: only its hash leaves the process."""
    is_shown: bool = True
    """In the metrics: what clients name is not."""

    @classmethod
    def of(cls, channel: Channel, url: ChannelUrl, medium: str) -> Self:
        """Of the channel that was opened from the URL.

        Who logs in: the user, or where there is none (a token stands in its place) the
        password. A channel that has another name for the account, or knows that the user is
        no secret, says so by an attribute `account`.
        """
        account = account_of(channel, url)
        scheme, mark, rest = channel.provider.partition("://")
        # Most providers' names tell the host, with the port that goes without saying.
        is_told = rest.startswith((url.host, f"[{url.host}]"))
        host = "" if is_told else f"{url.host}:{url.port}"
        who = (account, url.user or url.password)
        key = to_json((medium, url.scheme, channel.provider, host, url.path, *who)).decode()
        shown = f"{quote(account, safe='')}@" if account else ""
        return cls(
            medium=medium,
            provider=channel.provider,
            name=f"{scheme}{mark}{shown}{rest}",
            key=key,
        )

    def at(self, host: str) -> Self:
        """Of one of the hosts that the channel asks, where clients name them."""
        return replace(
            self,
            provider=f"{self.provider}{host}",
            name=f"{self.name}{host}",
            key=f"{self.key} {host}",
            is_shown=False,
        )


def account_of(channel: Channel, url: ChannelUrl) -> str:
    """What the channel calls its account; "" where it names none, or only a secret would do.

    Some providers want one token as both user and password.
    """
    account = str(getattr(channel, "account", None) or "")
    return "" if account == url.password else account


def told_apart(identities: Iterable[Identity]) -> Iterator[Identity]:
    """The same, those that share a name though not an account numbered in their order."""
    known: dict[str, list[str]] = {}
    for one in identities:
        keys = known.setdefault(one.name, [])
        if one.key not in keys:
            keys.append(one.key)
        number = keys.index(one.key) + 1
        yield one if number == 1 else replace(one, name=f"{one.name} ({number})")
