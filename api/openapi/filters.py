"""Filters of lists of messages that the published TMF681 names (docs/filtering.md has the rest)."""

from api.openapi.patterns import DECIMAL
from api.openapi.pieces import Json, moment, one_of, parameter, text

_TEXT = text(pattern=r"^[^\x00]*$")
_TIME = moment()
_NUMBER = text(pattern=DECIMAL)
_FLAG = one_of("true", "false")
_COMPARED = ("", ".gt", ".lt")
_KINDS: tuple[tuple[str, Json, tuple[str, ...]], ...] = (
    ("content status subject type", _TEXT, ("",)),
    ("receiver.appUserId receiver.email receiver.ip receiver.name receiver.phoneNumber", _TEXT,
     ("",)),
    ("sender.email sender.name sender.phoneNumber", _TEXT, ("",)),
    ("attachment.mimeType attachment.name attachment.path attachment.url", _TEXT, ("",)),
    ("attachment.size attachment.sizeUnit", _TEXT, _COMPARED),
    ("characteristic.name characteristic.value version", _TEXT, ("",)),
    ("sendTime sendTimeComplete", _TIME, _COMPARED),
    ("tryTimes", _NUMBER, _COMPARED),
    ("priority", _NUMBER, ("",)),
    ("callbackFlag logFlag", _FLAG, ("",)),
)  # fmt: skip
_SAID = {"": "Those that have it, or one of several by comma.", ".gt": "More.", ".lt": "Less."}

FILTERS: list[Json] = [
    parameter(f"{name}{operator}", "query", schema, _SAID[operator])
    for names, schema, operators in _KINDS
    for name in names.split()
    for operator in operators
]
