"""The templates folder, read so that no half-written file and no other place is ever seen."""

import os
import stat
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from communication.catalogue.snapshot import BrokenTemplate, Fault

TENANTS = "_tenants"
"""The folder of tenants' own templates: whoever is not the tenant never sees into it."""
SUFFIXES = frozenset((".txt", ".html", ".mjml", ".css", ".toml"))
LARGEST = 1_000_000
"""Bytes of one file."""
MOST_FILES = 2_000
DEEPEST = 6
_AGAIN = 0.01


class Stamp(NamedTuple):
    """What tells one state of a file from another; `refused`: why it may not be read."""

    changed: int
    modified: int
    size: int
    inode: int
    refused: str | None = None


Stamps = Mapping[str, Stamp]


@dataclass(frozen=True, slots=True)
class Reading:
    """Texts by path, relative to the templates folder, as they were all at one moment.

    `refused`: the faults of files that are no text or may not be read.
    """

    stamps: Stamps
    texts: Mapping[str, str]
    refused: Mapping[str, Fault]


class Folder:
    """The templates folder. Paths are relative to it, with `/` between their parts."""

    def __init__(self, root: Path) -> None:
        self.root = self.own = root
        """`own`: where the files are that only this folder has."""

    def place(self, path: str) -> str:
        """Where the file is that counts for a path, from the root."""
        return path

    def tops(self) -> list[str]:
        """The folders directly in it, sorted; none if it does not exist."""
        try:
            root = os.path.realpath(self.root)
            with os.scandir(root) as entries:
                names = [one.name for one in entries if one.name[0] != "." and one.is_dir()]
            return sorted(name for name in names if _within(root, f"{root}/{name}"))
        except OSError:
            return []

    def stamps(self, tops: Iterable[str]) -> Stamps:
        """The state of every file in some of those folders."""
        root = os.path.realpath(self.root)
        found: dict[str, Stamp] = {}
        with suppress(OSError):
            # A folder's own stamp changes when something in it is renamed or removed.
            found["/"] = _stamp(Path(root).stat(), outside=False)
        for top in tops:
            if not _within(root, f"{root}/{top}"):
                continue
            for path, stamp in _walk(root, top, DEEPEST):
                found[path] = stamp
                if len(found) > MOST_FILES:
                    fault = Fault(message=f"has more than {MOST_FILES} files", file=top)
                    raise BrokenTemplate(top, fault)
        return found

    def read(self, tops: Iterable[str], *, quiet: float, patience: float) -> Reading | None:
        """Everything in some folders, once nobody has written there for `quiet` seconds.

        None if that does not happen within `patience` seconds.
        """
        tops = tuple(tops)
        deadline = time.monotonic() + patience
        before, since = self.stamps(tops), time.monotonic()
        while True:
            if _is_quiet(before, time.monotonic() - since, quiet):
                reading = self.read_at(before)
                if reading is not None and self.stamps(tops) == before:
                    return reading
            if time.monotonic() > deadline:
                return None
            time.sleep(_AGAIN)
            after = self.stamps(tops)
            if after != before:
                before, since = after, time.monotonic()

    def read_at(self, stamps: Stamps) -> Reading | None:
        """The files that have these stamps; None if one has gone meanwhile."""
        root = os.path.realpath(self.root)
        texts: dict[str, str] = {}
        refused: dict[str, Fault] = {}
        for path, stamp in stamps.items():
            if stamp.refused:
                refused[path] = Fault(message=stamp.refused, file=path)
            elif not path.endswith("/"):
                try:
                    texts[path] = _read_text(root, path)
                except OSError:
                    return None
                except UnicodeDecodeError as error:
                    refused[path] = _not_utf8(path, error)
        return Reading(stamps, texts, refused)


def _walk(root: str, folder: str, depth: int) -> Iterator[tuple[str, Stamp]]:
    try:
        with os.scandir(os.path.join(root, folder)) as entries:  # noqa: PTH118 - these are many
            listed = sorted(entries, key=lambda one: one.name)
        yield f"{folder}/", _stamp(Path(root, folder).stat(), outside=False)
    except OSError:
        return
    for entry in listed:
        path = f"{folder}/{entry.name}"
        if entry.name.startswith("."):
            continue
        try:
            yield from _one(root, path, entry, depth)
        except OSError:
            continue  # it has gone since it was listed, or its link leads nowhere


def _one(root: str, path: str, entry: os.DirEntry[str], depth: int) -> Iterator[tuple[str, Stamp]]:
    outside = entry.is_symlink() and not _within(root, entry.path)
    if entry.is_dir() and not outside:
        if depth > 1:
            yield from _walk(root, path, depth - 1)
    elif os.path.splitext(entry.name)[1] in SUFFIXES:  # noqa: PTH122 - these are many
        status = entry.stat(follow_symlinks=not outside)
        yield path, _stamp(status, outside=outside)


def _stamp(status: os.stat_result, *, outside: bool) -> Stamp:
    refused = None
    if outside:
        refused = "is a link that leads out of the templates folder"
    elif not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode):
        refused = "is no file"
    elif status.st_size > LARGEST:
        refused = f"is larger than {LARGEST:,} bytes"
    return Stamp(status.st_ctime_ns, status.st_mtime_ns, status.st_size, status.st_ino, refused)


def _within(root: str, path: str) -> bool:
    real, tenants = os.path.realpath(path), f"{root}/{TENANTS}"
    return real.startswith(f"{root}/") and real != tenants and not real.startswith(f"{tenants}/")


def _read_text(root: str, path: str) -> str:
    real = os.path.realpath(f"{root}/{path}")
    if not _within(root, real):
        raise FileNotFoundError(path)
    # What was no link when it was looked at must not have become one.
    descriptor = os.open(real, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        data = file.read(LARGEST + 1)
    return data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")


def _not_utf8(path: str, error: UnicodeDecodeError) -> Fault:
    line = error.object.count(b"\n", 0, error.start) + 1
    return Fault(message="is not in UTF-8; save it again in that encoding", file=path, line=line)


def _is_quiet(stamps: Stamps, unchanged: float, quiet: float) -> bool:
    """Whether nothing was written in the last moments, by the file system's clock or by ours."""
    if unchanged >= quiet:
        return True
    newest = max((one.changed for one in stamps.values()), default=0)
    return newest < time.time_ns() - quiet * 1e9
