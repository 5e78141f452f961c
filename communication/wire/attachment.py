"""Attachments from the wire (seed 004)."""

import base64
import binascii
import re
import unicodedata
from typing import Any

from communication.errors import MissingField, Refused
from communication.http.guard import Guard
from communication.wire.fields import Fields, Spellings, present
from communication.wire.receiver import check_period

ATTACHMENT_FIELDS = Spellings(
    "id",
    "name",
    "path",
    "description",
    "href",
    "mimeType",
    "size",
    "sizeUnit",
    "url",
    "content",
    "validFor",
    URL="url",
)
_MIME_TYPE = re.compile(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+( *;[\x20-\x7e]*)?", re.ASCII)
_LONGEST = {
    "id": 256,
    "name": 255,
    "path": 1024,
    "description": 100_000,
    "href": 2048,
    "mimeType": 255,
    "sizeUnit": 64,
    "url": 2048,
}


def read_attachment(value: object, guard: Guard) -> dict[str, Any]:
    """One attachment: it names a file in the attachments folder or a URL, or is the content.

    The guard refuses URLs that show where they must not lead; names are looked up when the
    file is fetched.
    """
    fields = Fields.of(value, ATTACHMENT_FIELDS)
    texts = {name: fields.text(name, most=most) for name, most in _LONGEST.items()}
    content = fields.text("content", most=2**30)
    if texts["path"] is None and texts["url"] is None and content is None:
        raise MissingField("path, url or content is required", field="path")
    _check_path(fields, texts["path"])
    _check_content(fields, content, texts["mimeType"])
    _check_url(fields, texts["url"], guard)
    fields.nested("validFor", check_period)
    known = present(**texts, content=content, size=fields.amount("size"))
    return (
        known | present(validFor=fields.values.get("validFor")) | fields.unknown(ATTACHMENT_FIELDS)
    )


def _check_path(fields: Fields, path: str | None) -> None:
    if path is None:
        return
    if not path.strip("/ "):
        raise fields.invalid("path", "must name a file in the attachments folder")
    if ".." in path.split("/"):
        raise fields.invalid("path", "must stay in the attachments folder: no '..'")
    if "\\" in path or any(unicodedata.category(letter) == "Cc" for letter in path):
        raise fields.invalid("path", "must have no backslashes and no control characters")


def _check_url(fields: Fields, url: str | None, guard: Guard) -> None:
    if url is None:
        return
    try:
        guard.check_as_written(url)
    except Refused as error:
        raise fields.invalid("url", f"can't be fetched: {error.reason}") from error


def _check_content(fields: Fields, content: str | None, mime_type: str | None) -> None:
    if mime_type is not None and not _MIME_TYPE.fullmatch(mime_type):
        raise fields.invalid("mimeType", "must be a media type such as application/pdf")
    if content is None:
        return
    if mime_type is None:
        raise fields.missing("mimeType", "is required with content")
    try:
        # Encoders for mail write lines; what else is no base64 stays refused.
        base64.b64decode("".join(content.split()), validate=True)
    except (binascii.Error, ValueError):
        raise fields.invalid("content", "must be base64") from None
