"""The files that go with an email, looked up when it is sent."""

import binascii
import errno
import mimetypes
import os
import stat
from base64 import b64decode
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from channels.base import Attachment
from communication.clock import parse
from communication.errors import PermanentDeliveryError, TransientDeliveryError
from communication.settings import Settings
from worker.fetching import Fetched, Fetcher, shown

_OCTETS = "application/octet-stream"
_NO_FILE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG})
_NAMELESS = "attachment"
# Not to follow a link that has taken the file's place since, nor to wait for a pipe's other end.
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Attachments:
    """Reads what goes with an email. Shared by threads."""

    def __init__(self, settings: Settings, fetcher: Fetcher) -> None:
        self._folder = settings.attachments
        self._apart = bool(settings.jwks)
        self._largest = settings.max_attachment
        self._fetcher = fetcher

    def of(self, tenant: str, document: Mapping[str, Any], moment: datetime) -> list[Attachment]:
        """Those of a message that may be sent at that moment; DeliveryError if one can't be read.

        With authentication each tenant has a folder of its own, named after it.
        """
        folder = self._folder / tenant if self._apart else self._folder
        found: list[Attachment] = []
        room = self._largest
        for item in document.get("attachment") or ():
            if is_valid(item, moment):
                fetch = partial(self._fetcher.fetch, tenant)
                found.append(read_attachment(folder, item, largest=room, fetch=fetch))
                room -= len(found[-1].content)
        return found

    def close(self) -> None:
        """Let go of connections."""
        self._fetcher.close()


def read_attachment(
    folder: Path, item: Mapping[str, Any], *, largest: int, fetch: Callable[[str], Fetched]
) -> Attachment:
    """One attachment, read: its base64 `content`, else the file at its `path`, else at its `url`.

    A path is one inside the folder, with or without a leading slash; links inside may not lead
    out. PermanentDeliveryError, naming the attachment as the client wrote it, for anything else
    and for more than `largest` octets; TransientDeliveryError if the file can't be read just now.
    """
    if item.get("content") is not None:
        return _inline(item, largest)
    path = item.get("path")
    if path:
        return _from_file(folder, str(path), item, largest)
    if item.get("url"):
        return _from_url(str(item["url"]), item, largest, fetch)
    raise PermanentDeliveryError("an attachment has neither path, nor url, nor content")


def is_valid(item: Mapping[str, Any], moment: datetime) -> bool:
    """Whether an attachment's `validFor` (seed 004) allows to send it at that moment."""
    period = item.get("validFor") or {}
    start, end = period.get("startDateTime"), period.get("endDateTime")
    return (start is None or parse(start) <= moment) and (end is None or moment <= parse(end))


def _inline(item: Mapping[str, Any], largest: int) -> Attachment:
    mime_type = str(item.get("mimeType") or "")
    name = str(item.get("name") or _NAMELESS + (mimetypes.guess_extension(mime_type) or ""))
    try:
        content = b64decode("".join(str(item["content"]).split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise _unusable(name, "its content is not base64") from error
    if len(content) > largest:
        raise _unusable(name, _too_large(largest))
    return Attachment(name=name, mime_type=mime_type or _guess(name), content=content)


def _from_file(folder: Path, path: str, item: Mapping[str, Any], largest: int) -> Attachment:
    try:
        content = _read(_inside(folder, path), path, largest)
    except OSError as error:
        if error.errno in _NO_FILE:
            raise _unusable(path, "there is no such file") from error
        message = f"attachment {path!r}: can't be read: {error.strerror}"
        raise TransientDeliveryError(message) from error
    last = path.rpartition("/")[2]
    name = str(item.get("name") or last)
    mime_type = str(item.get("mimeType") or "") or _guess(name, last)
    return Attachment(name=name, mime_type=mime_type, content=content)


def _from_url(
    url: str, item: Mapping[str, Any], largest: int, fetch: Callable[[str], Fetched]
) -> Attachment:
    fetched = fetch(url)
    if len(fetched.content) > largest:
        raise PermanentDeliveryError(f"attachment {shown(url)}: {_too_large(largest)}")
    name = str(item.get("name") or fetched.name or _NAMELESS)
    mime_type = str(item.get("mimeType") or "") or fetched.mime_type or _guess(name, fetched.name)
    return Attachment(name=name, mime_type=mime_type, content=fetched.content)


def _inside(folder: Path, path: str) -> Path:
    """The file's real place. PermanentDeliveryError if it is outside the folder."""
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if "\0" in path or ".." in parts or not parts:
        raise _unusable(path, "it is no path inside the attachments folder")
    home = folder.resolve()
    try:
        place = home.joinpath(*parts).resolve()
    except RuntimeError as error:
        raise _unusable(path, "its links go round in a circle") from error
    if not place.is_relative_to(home):
        raise _unusable(path, "it leads out of the attachments folder")
    return place


def _read(place: Path, path: str, largest: int) -> bytes:
    status = place.lstat()
    if not stat.S_ISREG(status.st_mode):
        raise _unusable(path, "it is no ordinary file")
    with open(os.open(place, _FLAGS), "rb") as file:  # noqa: PTH123  # Path.open takes no flags
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise _unusable(path, "it is no ordinary file")
        content = file.read(largest + 1)
    if len(content) > largest:
        raise _unusable(path, _too_large(largest))
    return content


def _guess(*names: str) -> str:
    for name in names:
        mime_type, packed = mimetypes.guess_type(name)
        if packed:
            return "application/gzip" if packed == "gzip" else _OCTETS
        if mime_type:
            return mime_type
    return _OCTETS


def _unusable(name: str, why: str) -> PermanentDeliveryError:
    return PermanentDeliveryError(f"attachment {name!r}: {why}")


def _too_large(largest: int) -> str:
    return f"it is larger than {largest} octets, which TIDINGS_MAX_ATTACHMENT leaves for it"
