"""Making a template that can be sent as it is, and is there to be rewritten."""

import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from communication.catalogue.folder import TENANTS
from communication.catalogue.snapshot import DECLARATION
from communication.errors import TidingsError
from communication.public_id import TENANT
from tidings.templates import starter

_NAME = re.compile(r"[a-z0-9]+([._-][a-z0-9]+)*")
_LONGEST = 64
_BLOCKS = ("block heading", "block content")


class BadName(TidingsError):
    """A template can't have this name."""


def make_template(root: Path, name: str, *, tenant: str = "") -> list[Path]:
    """Make the template and return its files. BadName if there is one, or the name is unfit.

    For all, or for one tenant. It appears all at once: no worker sees a half of it.
    """
    _check_name(name)
    folder = _folder(root, name, tenant)
    place = folder / name
    if place.exists():
        raise BadName(f"{place} is there already; choose another name, or edit that one.")
    draft = folder / f".{name}.new"
    try:
        draft.mkdir(parents=True, exist_ok=True)
        for file, text in _files(folder, root).items():
            (draft / file).write_text(text, encoding="utf-8")
        draft.rename(place)
    except OSError as error:
        shutil.rmtree(draft, ignore_errors=True)
        raise BadName(f"{place} can't be made: {error.strerror}.") from error
    return sorted(place.iterdir())


def _check_name(name: str) -> None:
    if _NAME.fullmatch(name) and len(name) <= _LONGEST:
        return
    fit = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:_LONGEST].strip("-")
    advice = f" How about {fit}?" if fit else ""
    raise BadName(
        f"“{name}” can't be a template's name. Use small letters a to z, digits and hyphens, "
        f"such as delivery-progress.{advice}"
    )


def _folder(root: Path, name: str, tenant: str) -> Path:
    if not tenant:
        return root
    if not TENANT.fullmatch(tenant):
        raise BadName(f"“{tenant}” can't be a tenant's name.")
    own = root / TENANTS / tenant
    if (root / name).exists():
        raise BadName(
            f"All tenants have a template “{name}”. To change it for {tenant}, write the files "
            f"that are to differ, such as {own / name / 'sms.txt'}."
        )
    return own


def _files(*folders: Path) -> dict[str, str]:
    has_footer = any((folder / starter.FOOTER).is_file() for folder in folders)
    footer = starter.TEXT_FOOTER if has_footer else ""
    return {
        DECLARATION: starter.DECLARATION,
        "sms.txt": starter.SMS,
        "email.subject.txt": starter.SUBJECT,
        "email.preheader.txt": starter.PREHEADER,
        "email.html": starter.IN_LAYOUT if _has_layout(folders) else starter.WHOLE_PAGE,
        "email.txt": starter.TEXT + footer,
        "push.title.txt": starter.PUSH_TITLE,
        "push.txt": starter.PUSH,
    }


def _has_layout(folders: Iterable[Path]) -> bool:
    """Whether there is a layout with the blocks that the new email fills; the first counts."""
    paths = [folder / starter.LAYOUT for folder in folders]
    try:
        layout = next(one for one in paths if one.exists()).read_text(encoding="utf-8")
    except (StopIteration, OSError, ValueError):
        return False
    return all(block in layout for block in _BLOCKS)
