"""What TMF630 queries can ask a communication message for (seed 004's field table)."""

from functools import partial

from communication.query.conditions import Kind, Path
from communication.query.tmf630 import Vocabulary
from communication.wire.fields import Spellings
from communication.wire.message import MESSAGE_FIELDS, SENDER_FIELDS, TYPE_NAMES, TYPES
from communication.wire.phone import phone_number
from communication.wire.receiver import RECEIVER_FIELDS

_CHARACTERISTICS = ("CommunicationRequestCharacteristic",)
_TOP_LEVEL = {
    Kind.TEXT: "id href type status subject content template locale description "
    "@type @baseType @schemaLocation",
    Kind.NUMBER: "priority tryTimes",
    Kind.FLAG: "logFlag callbackFlag",
    Kind.TIME: "sendTime sendTimeComplete",
}
_RECEIVER = "id name email phoneNumber appUserId ip"
_SUMMARY = "total pending delivered failed cancelled"
_NEVER_SORTED = {("href",), ("content",)}


def message_vocabulary(phone_region: str = "") -> Vocabulary:
    """The attributes of a communication message.

    Phone numbers without a country code are those of the region, as when they are stored.
    """
    kinds = _kinds()
    characteristic = Spellings("name", "value")
    return Vocabulary(
        kinds=kinds,
        names={
            (): MESSAGE_FIELDS.canonical,
            ("sender",): SENDER_FIELDS.canonical,
            ("attachment",): Spellings("path", "href", "size", "url", URL="url").canonical,
            ("receiver",): RECEIVER_FIELDS.canonical,
            ("receiver", "characteristic"): characteristic.canonical,
            _CHARACTERISTICS: characteristic.canonical,
        },
        spellings={
            ("type",): _type,
            ("receiver", "phoneNumber"): partial(_phone, region=phone_region),
            ("receiver", "characteristic", "name"): _without_dollar,
            (*_CHARACTERISTICS, "name"): _without_dollar,
        },
        sortable=frozenset(path for path in kinds if len(path) == 1) - _NEVER_SORTED,
    )


def _kinds() -> dict[Path, Kind]:
    kinds: dict[Path, Kind] = {
        (name,): kind for kind, names in _TOP_LEVEL.items() for name in names.split()
    }
    kinds |= {("receiver", name): Kind.TEXT for name in _RECEIVER.split()}
    kinds |= {("deliverySummary", name): Kind.NUMBER for name in _SUMMARY.split()}
    kinds[*_CHARACTERISTICS, "name"] = kinds["receiver", "characteristic", "name"] = Kind.TEXT
    return kinds


def _type(text: str) -> str:
    channel = TYPES.get(text.strip().lower())
    return TYPE_NAMES[channel] if channel else text


def _phone(text: str, region: str) -> str:
    try:
        return phone_number(text, region)
    except ValueError:
        return text


def _without_dollar(name: str) -> str:
    return name.removeprefix("$")
