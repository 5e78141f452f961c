"""Which class serves which URL scheme."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Protocol, cast

from channels.addresses import mailbox
from channels.base import Channel, Environment, Sender
from channels.health.failover import in_turn
from channels.health.identity import Identity, told_apart
from channels.health.provider import Care, cared_for
from channels.push.to_devices import most_in_turn, open_push
from communication.channel_url import ChannelUrl, split_urls
from communication.errors import PermanentDeliveryError, SettingsError, all_made

CHANNELS = {
    "apns": "channels.push.apns:ApnsChannel",
    "fcm": "channels.push.fcm:FcmChannel",
    "http": "channels.gateway:GatewayChannel",
    "https": "channels.gateway:GatewayChannel",
    "folder": "channels.folder:FolderChannel",
    "ntfy": "channels.push.ntfy:NtfyChannel",
    "ntfy+http": "channels.push.ntfy:NtfyChannel",
    "null": "channels.null:NullChannel",
    "smpp": "channels.smpp.channel:SmppChannel",
    "smpps": "channels.smpp.channel:SmppChannel",
    "smtp": "channels.email.smtp:SmtpChannel",
    "smtps": "channels.email.smtp:SmtpChannel",
    "smtp+starttls": "channels.email.smtp:SmtpChannel",
    "webpush": "channels.push.webpush:WebPushChannel",
}
"""Scheme to `module:class`; the module is imported when a URL asks for it."""

PLUG_INS = "tidings.channels"
"""The entry-point group of channels from elsewhere: the entry's name is the scheme.

It serves every scheme that begins with the name and a +, too: `apprise+discord://…`.
"""


class ChannelClass(Protocol):
    """What the table and the entry points name."""

    def open(self, url: ChannelUrl, environment: Environment) -> Channel:
        """A channel for this URL. SettingsError for a parameter that can't be used."""
        ...


def open_channels(urls: str, environment: Environment) -> Channel:
    """The channel of a comma-separated list of URLs: the primary, then its fallbacks.

    Of push services each is for the devices of its own platform. Those that stand in for each
    other share the time of one send. SettingsError names the setting and what is wrong with each.
    """
    if environment.medium == "email":
        _check_sender(environment.default_sender)
    listed = split_urls(urls)
    platforms = [_platform(url) for url in listed]
    sharing = most_in_turn(platforms)
    each = replace(environment, send_timeout=environment.send_timeout / sharing)
    opened = _open_cared_for(listed, each)
    if any(platforms):
        return open_push(list(zip(platforms, opened, strict=True)), environment)
    return in_turn(opened)


def open_channel(url: str, environment: Environment) -> Channel:
    """The bare channel of one URL. SettingsError names the setting and what is wrong."""
    return _open(url, environment)[0]


def open_identified(url: str, environment: Environment) -> tuple[Channel, Identity]:
    """The same, and which provider, and account of ours at it, that is."""
    channel, parsed, _ = _open(url, environment)
    return channel, Identity.of(channel, parsed, environment.medium)


def _open(url: str, environment: Environment) -> tuple[Channel, ChannelUrl, Care]:
    with _named(environment):
        care, parsed = Care.of(ChannelUrl.parse(url))
        return _channel_class(parsed).open(parsed, environment), parsed, care


def _open_cared_for(urls: Sequence[str], environment: Environment) -> list[Channel]:
    opened = all_made(partial(_open, url, environment) for url in urls)
    identities = told_apart(
        Identity.of(channel, url, environment.medium) for channel, url, _ in opened
    )
    return [
        cared_for(channel, care, environment, identity)
        for (channel, _, care), identity in zip(opened, identities, strict=True)
    ]


def _platform(url: str) -> str | None:
    """Whose devices a push channel is for; None for one that takes messages as they are.

    None, too, where the URL can't be used: what is wrong is told when it is opened.
    """
    platform: str | None = None
    with suppress(SettingsError):
        platform = getattr(_channel_class(ChannelUrl.parse(url)), "platform", None)
    return platform


@contextmanager
def _named(environment: Environment) -> Iterator[None]:
    try:
        yield
    except SettingsError as error:
        raise SettingsError(f"TIDINGS_{environment.medium.upper()}_URL: {error}") from error


def _check_sender(sender: Sender) -> None:
    try:
        mailbox(sender.email or "", "default sender")
    except PermanentDeliveryError as error:
        raise SettingsError(f"TIDINGS_EMAIL_SENDER: {error.reason}") from error


def known_schemes() -> dict[str, ChannelClass | None]:
    """Every scheme that a URL may have, of plug-ins as well; None for one that can't be loaded."""
    known: dict[str, ChannelClass | None] = {scheme: _built_in(scheme) for scheme in CHANNELS}
    for entry in entry_points(group=PLUG_INS):
        try:
            known.setdefault(entry.name, _plug_in(entry))
        except SettingsError:
            known.setdefault(entry.name, None)
    return known


def _channel_class(url: ChannelUrl) -> ChannelClass:
    if url.scheme in CHANNELS:
        return _built_in(url.scheme)
    plug_ins = entry_points(group=PLUG_INS)
    for name in (url.scheme, url.scheme.partition("+")[0]):
        if name in plug_ins.names:
            return _plug_in(plug_ins[name])
    known = ", ".join(sorted({*CHANNELS, *plug_ins.names}))
    raise url.fault(f"unknown scheme; known are {known}")


def _built_in(scheme: str) -> ChannelClass:
    module, _, name = CHANNELS[scheme].partition(":")
    return cast("ChannelClass", getattr(import_module(module), name))


def _plug_in(entry: EntryPoint) -> ChannelClass:
    try:
        return cast("ChannelClass", entry.load())
    except (ImportError, AttributeError) as error:
        message = f"the plug-in {entry.value} can't be loaded: {error}"
        raise SettingsError(f"{entry.name}://: {message}") from error
