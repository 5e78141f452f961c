"""The templates folder as one tenant sees it: its own files lie over those that all share."""

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from communication.catalogue.folder import TENANTS, Folder, Reading, Stamps
from communication.catalogue.snapshot import UnreadableTemplates

_MARKUP = ("email.html", "email.mjml")
"""A tenant's one takes the place of either: a template has one of the two."""


def tenants_of(root: Path) -> frozenset[str]:
    """Those with files of their own, named exactly as their folders are. UnreadableTemplates."""
    try:
        with os.scandir(root / TENANTS) as entries:
            return frozenset(one.name for one in entries if one.name[0] != "." and one.is_dir())
    except FileNotFoundError:
        return frozenset()
    except OSError as error:
        raise _unreadable(TENANTS, error) from error


def open_folder(root: Path, tenant: str = "") -> Folder:
    """As a tenant sees it that has files of its own; without one as all others do."""
    return TenantFolder(root, tenant) if tenant else Folder(root)


class TenantFolder(Folder):
    """A file of the tenant's counts instead of the shared one at the same path.

    Paths are those that the files would have if all were shared: no template can name a
    tenant's folder, neither another's nor its own.
    """

    def __init__(self, root: Path, tenant: str) -> None:
        super().__init__(root)
        self.own = root / TENANTS / tenant
        self._own = Folder(self.own)
        self._place = f"{TENANTS}/{tenant}/"

    def tops(self) -> list[str]:
        """Those of both, sorted."""
        return sorted({*super().tops(), *self._own.tops()})

    def place(self, path: str) -> str:
        """Where the file is that counts for a path, from the templates folder."""
        return self._place + path if (self.own / path).exists() else path

    def touched(self) -> list[str]:
        """The templates that are not as all see them, whatever of them is the tenant's."""
        own = self._own.tops()
        shares = any(name.startswith("_") for name in own)
        return [name for name in (self.tops() if shares else own) if not name.startswith("_")]

    def stamps(self, tops: Iterable[str]) -> Stamps:
        """The state of every file of both. UnreadableTemplates for the tenant's."""
        tops = tuple(tops)
        try:
            os.scandir(self.own).close()
        except OSError as error:
            # Its customers must not get what is meant for others.
            raise _unreadable(self._place, error) from error
        own = self._own.stamps(tops)
        return {**super().stamps(tops), **{self._place + path: one for path, one in own.items()}}

    def read_at(self, stamps: Stamps) -> Reading | None:
        """The files that have these stamps; None if one has gone meanwhile."""
        ours = {path: one for path, one in stamps.items() if not path.startswith(self._place)}
        theirs = {path.removeprefix(self._place): stamps[path] for path in stamps.keys() - ours}
        shared, own = super().read_at(ours), self._own.read_at(theirs)
        if shared is None or own is None:
            return None
        hidden = {*own.texts, *own.refused, *_other_markup(own.texts)}
        return Reading(
            stamps,
            {**_without(shared.texts, hidden), **own.texts},
            {**_without(shared.refused, hidden), **own.refused},
        )


def _without(paths: Mapping[str, Any], hidden: Iterable[str]) -> dict[str, Any]:
    return {path: one for path, one in paths.items() if path not in hidden}


def _other_markup(paths: Iterable[str]) -> Iterator[str]:
    for path in paths:
        folder, _, name = path.rpartition("/")
        if name in _MARKUP:
            yield from (f"{folder}/{one}" for one in _MARKUP if one != name)


def _unreadable(path: str, error: OSError) -> UnreadableTemplates:
    return UnreadableTemplates(f"{path.rstrip('/')} can't be read: {error.strerror}")
