"""An SMPP channel's URL, read."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Self, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from channels.base import Sender
from channels.endpoint import host_of, in_url, tls_context
from channels.smpp.account import Account
from channels.smpp.address import Numbering
from channels.smpp.message import NO_REFERENCE, Long, Style
from channels.smpp.pdu import Command, Tag
from channels.smpp.receipt import Ids
from channels.smpp.status import Verdict
from communication.channel_url import ChannelUrl, Parameters
from communication.errors import PermanentDeliveryError

T = TypeVar("T")

_PORTS = {"smpp": 2775, "smpps": 3550}
_WINDOW = 100
_TIMEOUT = 10.0
_ENQUIRE = 30.0
_SHARE_OF_SEND = 0.75
"""Of a send's time, at most, is for the SMSC's answer: the rest is for the window's room."""
_LONGEST_VALIDITY = 30 * 86_400.0
_VENDOR_TAGS = range(0x1400, 0x4000)
_STATUS = re.compile(r"0x[0-9A-Fa-f]{1,8}|[0-9]{1,10}")
_PLAIN = re.compile(r"[\x21-\x7e]*")
_MOST_SESSIONS = 16
_MOST_SENDS = 1_000
"""Side by side: each is a thread."""


class Bind(StrEnum):
    """As what a session is bound."""

    TRANSCEIVER = "transceiver"  # each sends and hears receipts
    PAIR = "pair"  # transmitters, and one receiver beside them
    TRANSMITTER = "transmitter"  # sends only


@dataclass(frozen=True, slots=True, kw_only=True)
class SmppSettings:
    """All that a URL says."""

    account: Account
    style: Style
    binds: tuple[Command, ...]
    ids: Ids
    zone: ZoneInfo | None
    verdicts: Mapping[int, Verdict]

    @property
    def senders(self) -> int:
        """Sessions that may submit."""
        return sum(bind is not Command.BIND_RECEIVER for bind in self.binds)

    @classmethod
    def read(cls, url: ChannelUrl, *, send_timeout: float, hears: bool) -> Self:
        """From `smpp://` or `smpps://`. SettingsError says what is wrong with it.

        `hears`: whether somebody records receipts; without, none are asked for.
        """
        reader = _Reader(url)
        bind = reader.parameters.choice("bind", Bind.TRANSCEIVER if hears else Bind.TRANSMITTER)
        receipts = reader.parameters.flag("receipts", default=bind is not Bind.TRANSMITTER)
        if receipts and bind is Bind.TRANSMITTER and hears:
            raise url.fault("receipts=yes needs bind=transceiver or bind=pair")
        receipts = receipts and hears
        settings = cls(
            account=reader.account(send_timeout),
            style=reader.style(receipts=receipts),
            binds=reader.binds(bind, receipts=receipts),
            ids=reader.parameters.choice("ids", Ids.SAME),
            zone=reader.read("zone", _zone),
            verdicts=reader.verdicts(),
        )
        reader.parameters.end()
        if settings.account.window * settings.senders > _MOST_SENDS:
            raise url.fault(f"window times sessions must be at most {_MOST_SENDS}")
        return settings


class _Reader:
    def __init__(self, url: ChannelUrl) -> None:
        self.parameters = Parameters(url)
        self._url = url

    def read(self, name: str, parse: Callable[[str], T]) -> T | None:
        """None where it is not given."""
        text = self.parameters.text(name, "")
        try:
            return parse(text) if text else None
        except ValueError as error:
            raise self._url.fault(f"{name}={text}: {error}") from error

    def account(self, send_timeout: float) -> Account:
        url, parameters = self._url, self.parameters
        if not url.user or url.password is None:
            raise url.fault("a login is needed: system_id:password@host")
        if url.path.strip("/"):
            raise url.fault("takes no path")
        if "\0" in url.user + url.password:
            raise url.fault("the login holds a NUL")
        host, port = host_of(url), url.port or _PORTS[url.scheme]
        timeout = parameters.duration("timeout", _TIMEOUT, least=0.001)
        return Account(
            name=f"{url.scheme}://{in_url(host)}:{port}",
            host=host,
            port=port,
            context=tls_context(url, parameters) if url.scheme == "smpps" else None,
            system_id=url.user,
            password=url.password,
            system_type=self.read("system_type", _plain(12)) or "",
            window=parameters.count("window", _WINDOW),
            timeout=min(timeout, send_timeout * _SHARE_OF_SEND),
            enquire=parameters.duration("enquire", _ENQUIRE, least=0.001),
        )

    def style(self, *, receipts: bool) -> Style:
        return Style(
            numbering=self._numbering(),
            long=self.parameters.choice("long", Long.UDH),
            receipts=receipts,
            validity=self._validity(),
            service_type=self.read("service_type", _plain(5)) or "",
            reference_tag=self._reference_tag(),
        )

    def binds(self, bind: Bind, *, receipts: bool) -> tuple[Command, ...]:
        sessions = self.parameters.count("sessions", 1)
        if sessions > _MOST_SESSIONS:
            raise self._url.fault(f"sessions={sessions}: must be at most {_MOST_SESSIONS}")
        if bind is Bind.TRANSCEIVER and receipts:
            return (Command.BIND_TRANSCEIVER,) * sessions
        heard = (Command.BIND_RECEIVER,) if bind is Bind.PAIR and receipts else ()
        return (Command.BIND_TRANSMITTER,) * sessions + heard

    def verdicts(self) -> dict[int, Verdict]:
        """Lists of statuses: a + in a query is a space."""
        permanent = self.read("permanent", _statuses) or frozenset()
        transient = self.read("transient", _statuses) or frozenset()
        if permanent & transient:
            raise self._url.fault("a status is both permanent and transient")
        return dict.fromkeys(permanent, Verdict.PERMANENT) | dict.fromkeys(
            transient, Verdict.TRANSIENT
        )

    def _numbering(self) -> Numbering:
        return Numbering(
            default_source=self.read("source", _source) or "",
            only_source=self.parameters.flag("only_source", default=False),
            source_ton=self.read("source_ton", _octet),
            source_npi=self.read("source_npi", _octet),
            dest_ton=self.read("dest_ton", _octet),
            dest_npi=self.read("dest_npi", _octet),
        )

    def _reference_tag(self) -> int:
        tag = self.read("reference_tag", _tag)
        return Tag.USER_MESSAGE_REFERENCE if tag is None else tag

    def _validity(self) -> float | None:
        validity = self.parameters.duration("validity", 0.0)
        if validity > _LONGEST_VALIDITY:
            raise self._url.fault("validity must be at most 30d")
        return validity or None


def _plain(longest: int) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if len(text) > longest or not _PLAIN.fullmatch(text):
            raise ValueError(f"must be at most {longest} ASCII characters without spaces")
        return text

    return parse


def _source(text: str) -> str:
    try:
        Numbering().source(Sender(phone=text))
    except PermanentDeliveryError as error:
        raise ValueError("must be a number, a short code or a name of 11 characters") from error
    return text


def _octet(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 0xFF:  # noqa: PLR2004
        raise ValueError("must be a whole number from 0 to 255")
    return int(text)


def _tag(text: str) -> int:
    if text == "none":
        return NO_REFERENCE
    if not _STATUS.fullmatch(text) or int(text, 0) not in _VENDOR_TAGS:
        raise ValueError("must be none, or a vendor's tag from 0x1400 to 0x3FFF")
    return int(text, 0)


def _statuses(text: str) -> frozenset[int]:
    if not all(map(_STATUS.fullmatch, text.split())):
        raise ValueError("must be statuses joined by +, such as 0x401+0x402")
    return frozenset(int(one, 0) for one in text.split())


def _zone(text: str) -> ZoneInfo:
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, OSError) as error:
        raise ValueError("must be a time zone such as Europe/Stockholm") from error
