"""Mails in a folder: a Maildir, or files as they are."""

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from communication.mail.dsn import LARGEST

_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_SEEN, _FLAGGED = "S", "F"
_MARKS = {_SEEN: ".seen", _FLAGGED: ".flagged"}


@dataclass(frozen=True, slots=True)
class FolderMail:
    """One mail that nobody has dealt with yet."""

    file: Path
    maildir: Path | None

    def read(self) -> bytes | None:
        """Its first octets; None if it is gone, or no ordinary file."""
        try:
            with open(os.open(self.file, _FLAGS), "rb") as mail:  # noqa: PTH123  # Path.open takes no flags
                if stat.S_ISREG(os.fstat(mail.fileno()).st_mode):
                    return mail.read(LARGEST)
        except OSError:
            return None
        return None

    def put_away(self, *, understood: bool) -> None:
        """As read, or flagged for a person to look at: it is not dealt with again."""
        flag = _SEEN if understood else _FLAGGED
        if self.maildir is None:
            place = self.file.with_name(self.file.name + _MARKS[flag])
        else:
            place = self.maildir / "cur" / f"{self.file.name.partition(':')[0]}:2,{flag}"
        # Somebody else may have done it.
        with suppress(FileNotFoundError):
            self.file.rename(place)


def mails_in(folder: Path) -> Iterator[FolderMail]:
    """What is new in a Maildir, or every file of another folder; oldest names first."""
    maildir = folder if (folder / "new").is_dir() else None
    place = folder / "new" if maildir else folder
    for file in sorted(place.iterdir()):
        is_old = maildir is None and file.name.endswith(tuple(_MARKS.values()))
        if not file.name.startswith(".") and not is_old and not file.is_dir():
            yield FolderMail(file, maildir)
