"""What a template is at one moment: its files, its characteristics, its locales."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property, lru_cache
from types import MappingProxyType
from typing import Any

from communication.catalogue.characteristic import Characteristic
from communication.errors import TidingsError

LOCALE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,3}")
RESERVED = frozenset(("receiver", "locale", "characteristic", "subject", "preheader"))
"""Variables that every template has; no characteristic can have these names."""
DECLARATION = "template.toml"


class Medium(StrEnum):
    """A way to reach people; the values are the channels' names."""

    SMS = "sms"
    EMAIL = "email"
    PUSH = "push"


TITLE_FILES = {Medium.EMAIL: "email.subject.txt", Medium.PUSH: "push.title.txt"}
BODY_FILES = {
    Medium.SMS: ("sms.txt",),
    Medium.EMAIL: ("email.mjml", "email.html", "email.txt"),
    Medium.PUSH: ("push.txt",),
}
"""A medium is there when one of these is."""
PREHEADER_FILE = "email.preheader.txt"
FILES_OF = {
    Medium.SMS: ("sms.txt",),
    Medium.EMAIL: (TITLE_FILES[Medium.EMAIL], PREHEADER_FILE, *BODY_FILES[Medium.EMAIL]),
    Medium.PUSH: (TITLE_FILES[Medium.PUSH], *BODY_FILES[Medium.PUSH]),
}
OWN_FILES = frozenset(name for names in FILES_OF.values() for name in names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What is wrong with a template, and where. Lines and columns count from 1."""

    message: str
    file: str | None = None
    """Relative to the templates folder."""
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part)
        return f"{place}: {self.message}" if place else self.message


class TemplateError(TidingsError):
    """A template that can't be used."""


class TemplateNotFound(TemplateError):
    """There is no template of this name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no template {name!r}")
        self.name = name


class BrokenTemplate(TemplateError):
    """A template has a fault, and no good version of it is known."""

    def __init__(self, name: str, fault: Fault) -> None:
        super().__init__(f"template {name!r}: {fault}")
        self.name = name
        self.fault = fault


class UnreadableTemplates(TemplateError):
    """A folder can't be read just now: what is in it is not known."""


def canonical_locale(text: str) -> str:
    """A locale as folders are named: `pt-BR`, `sv`, `zh-Hans-CN`."""
    language, *others = text.replace("_", "-").split("-")
    parts = [language.lower()]
    parts += [one.title() if len(one) == 4 else one.upper() for one in others]  # noqa: PLR2004 - ISO 15924: scripts have four letters
    return "-".join(parts)


@lru_cache(maxsize=1024)
def locale_chain(locale: str | None) -> tuple[str, ...]:
    """A locale and what it falls back to, the most special first: pt-BR, pt."""
    if not locale:
        return ()
    parts = canonical_locale(locale).split("-")
    return tuple("-".join(parts[:count]) for count in range(len(parts), 0, -1))


def variants(path: str, locale: str | None) -> Iterator[str]:
    """Where a file may be for a locale, the best first: `_partials/sv/a.txt`, `_partials/a.txt`."""
    folder, _, name = path.rpartition("/")
    for one in locale_chain(locale):
        yield f"{folder}/{one}/{name}"
    yield path


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """One version of one template: everything that is needed to render it, and unchanging.

    `files`: text by path relative to the templates folder: the template's own, and whatever
    they extend and include. `version` is a hash of all of them. `locales`: those that have
    folders of their own. `needs`: the characteristics without which a medium can't be rendered.
    """

    name: str
    version: str
    files: Mapping[str, str]
    characteristics: Mapping[str, Characteristic] = field(
        default_factory=lambda: MappingProxyType({})
    )
    declared: bool = False
    """Whether template.toml names the characteristics; else they are inferred."""
    needs: Mapping[Medium, frozenset[str]] = field(default_factory=lambda: MappingProxyType({}))
    locales: tuple[str, ...] = ()
    default_locale: str = "en"
    """Of the files that are in no locale's folder."""
    description: str = ""

    @cached_property
    def media(self) -> frozenset[Medium]:
        """The media that can be rendered for some locale."""
        places = (None, *self.locales)
        return frozenset(
            medium for medium in Medium if any(self.has(medium, locale) for locale in places)
        )

    def has(self, medium: Medium, locale: str | None = None) -> bool:
        """Whether there is text for the medium in the locale or what it falls back to."""
        return self.body(medium, locale) is not None

    def body(self, medium: Medium, locale: str | None) -> str | None:
        """The path of the medium's main file: of the best locale, and of that MJML, HTML, text."""
        effective = self.effective_locale(locale)
        names = BODY_FILES[medium]
        for folder in (*(f"{one}/" for one in locale_chain(effective)), ""):
            for name in names:
                path = f"{self.name}/{folder}{name}"
                if path in self.files:
                    return path
        return None

    def path(self, name: str, locale: str | None) -> str | None:
        """The path of one of the template's own files for a locale; None if there is none."""
        found = variants(f"{self.name}/{name}", self.effective_locale(locale))
        return next((path for path in found if path in self.files), None)

    def effective_locale(self, locale: str | None) -> str:
        """The locale that is rendered: the wanted one if the template speaks its language.

        Else the default, so that no English sentence has a Swedish date in it.
        """
        chain = locale_chain(locale)
        spoken = any(one in self.locales for one in chain)
        same_language = bool(chain) and chain[-1] == locale_chain(self.default_locale)[-1]
        return chain[0] if spoken or same_language else self.default_locale

    def as_json(self) -> dict[str, Any]:
        """For the file that keeps the last good version."""
        return {"name": self.name, "version": self.version, "files": dict(self.files)}
