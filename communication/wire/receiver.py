"""Receivers and characteristics from the wire (seed 004)."""

import ipaddress
from typing import Any, NamedTuple

from communication.encoding import to_json
from communication.errors import InvalidField
from communication.wire.fields import Fields, Spellings, present
from communication.wire.mailbox import mailbox
from communication.wire.phone import phone_number

RECEIVER_FIELDS = Spellings(
    "id",
    "name",
    "email",
    "phoneNumber",
    "appUserId",
    "ip",
    "relatedParty",
    "characteristic",
    CommunicationRequestCharacteristic="characteristic",
)
CHARACTERISTIC_FIELDS = Spellings("name", "value")
_PARTY_FIELDS = Spellings("validFor")
_PERIOD_FIELDS = Spellings("startDateTime", "endDateTime")

NEEDED_ADDRESS = {"sms": "phoneNumber", "email": "email", "push": "appUserId"}

# Names are indexed: PostgreSQL refuses index entries of more than 2,700 bytes.
_TEXT_LONGEST = 512
_ID_LONGEST = 256
_EMAIL_LONGEST = 320


class Addressee(NamedTuple):
    """A receiver as its row holds it. `attributes`: everything that has no column."""

    id: str | None
    name: str | None
    email: str | None
    phone: str | None
    app_user_id: str | None
    ip: str | None
    attributes: dict[str, Any] | None


def read_addressee(value: object, channel: str, *, phone_region: str = "") -> Addressee:
    """One receiver with the address that the channel needs.

    `phone_region`: where phone numbers without a country code are at home.
    """
    fields = Fields.of(value, RECEIVER_FIELDS)
    needed = NEEDED_ADDRESS[channel]
    if fields.values.get(needed) is None:
        raise fields.missing(needed, f"is required to reach a receiver by {channel}")
    return Addressee(
        id=fields.text("id", most=_ID_LONGEST),
        name=fields.text("name", most=_TEXT_LONGEST),
        email=read_email(fields, needed=channel == "email"),
        phone=_phone(fields, phone_region, needed=channel == "sms"),
        app_user_id=_app_user_id(fields),
        ip=_ip(fields),
        attributes=_attributes(fields),
    )


def read_characteristics(fields: Fields, field: str) -> list[dict[str, Any]] | None:
    """Items with the names `name` (a leading $ dropped) and `value`; each name once."""
    items = fields.items(field, _characteristic)
    seen: set[str] = set()
    for place, item in enumerate(items or ()):
        if item["name"] in seen:
            name = f"{fields.spelled(field)}[{place}].name"
            raise InvalidField(f"{item['name']!r} is given twice", field=name)
        seen.add(item["name"])
    return items


def check_sizes(characteristics: Any, field: str, most: int) -> None:
    """InvalidField for the first of them whose value is longer than that."""
    for place, one in enumerate(characteristics or ()):
        value = one["value"]
        size = len(value if isinstance(value, str) else to_json(value))
        if size > most:
            message = f"must have at most {most} characters, has {size}"
            raise InvalidField(message, field=f"{field}[{place}].value")


def check_period(value: object) -> None:
    """A TMF TimePeriod: valid times, the start not after the end."""
    fields = Fields.of(value, _PERIOD_FIELDS)
    start, end = fields.moment("startDateTime"), fields.moment("endDateTime")
    if start is not None and end is not None and start > end:
        raise fields.invalid("endDateTime", "must not be before startDateTime")


def _characteristic(value: object) -> dict[str, Any]:
    fields = Fields.of(value, CHARACTERISTIC_FIELDS)
    given = fields.text("name", most=_ID_LONGEST)
    if given is None:
        raise fields.missing("name", "is required")
    if "value" not in fields.values:
        raise fields.missing("value", "is required")
    name = given.strip().removeprefix("$")
    if not name:
        raise fields.invalid("name", "must not be blank")
    return fields.values | {"name": name}


def read_email(fields: Fields, *, needed: bool) -> str | None:
    """The `email` of a receiver or sender, checked if it is needed to reach or name them."""
    text = fields.text("email", most=_EMAIL_LONGEST)
    if needed:
        try:
            mailbox(text or "")
        except ValueError as error:
            raise fields.invalid("email", str(error)) from error
    return text and text.strip()


def _phone(fields: Fields, region: str, *, needed: bool) -> str | None:
    text = fields.text("phoneNumber", most=_ID_LONGEST)
    if text is None:
        return None
    try:
        return phone_number(text, region)
    except ValueError as error:
        if needed:
            raise fields.invalid("phoneNumber", str(error)) from error
        return text


def _app_user_id(fields: Fields) -> str | None:
    text = fields.text("appUserId", most=_ID_LONGEST)
    if text is not None and not text.strip():
        raise fields.invalid("appUserId", "must not be blank")
    return text


def _ip(fields: Fields) -> str | None:
    text = fields.text("ip", most=64)
    if text is None:
        return None
    try:
        return str(ipaddress.ip_address(text.strip()))
    except ValueError:
        raise fields.invalid("ip", "must be an IPv4 or IPv6 address") from None


def _attributes(fields: Fields) -> dict[str, Any] | None:
    if fields.values.keys() <= _COLUMNS:
        return None
    known = present(
        relatedParty=fields.nested("relatedParty", _related_party),
        characteristic=read_characteristics(fields, "characteristic"),
    )
    return known | fields.unknown(RECEIVER_FIELDS) or None


_COLUMNS = RECEIVER_FIELDS.names - {"relatedParty", "characteristic"}


def _related_party(value: object) -> object:
    parties = value if isinstance(value, list) else [value]
    for party in parties:
        Fields.of(party, _PARTY_FIELDS).nested("validFor", check_period)
    return value
