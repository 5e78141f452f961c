"""Faults of a template's folder: files that are missing, and files that nothing reads."""

from collections.abc import Collection, Iterator
from difflib import get_close_matches
from pathlib import PurePosixPath

from babel import Locale

from communication.catalogue.composition import is_locale
from communication.catalogue.snapshot import (
    BODY_FILES,
    DECLARATION,
    OWN_FILES,
    TITLE_FILES,
    Medium,
    locale_chain,
)
from tidings.templates.findings import Finding, Severity

_WORDS = {Medium.SMS: "an SMS", Medium.EMAIL: "an email", Medium.PUSH: "a push message"}
_MARKUP = ("email.html", "email.mjml")


def check(
    name: str,
    paths: Collection[str],
    *,
    used: Collection[str],
    default_locale: str,
    wanted_locales: Collection[str] = (),
) -> Iterator[Finding]:
    """What is wrong with the files at these paths, that all begin with the template's name.

    `used`: the files that others include. `wanted_locales`: that the template must have.
    """
    folder = _TemplateFolder(name, paths, default_locale)
    yield from _strangers(folder, used)
    yield from _titles(folder)
    yield from _plain_text(folder)
    yield from _translations(folder)
    yield from _languages(folder, wanted_locales)


class _TemplateFolder:
    """The files that Tidings reads of itself, by locale; "" is the default."""

    def __init__(self, name: str, paths: Collection[str], default_locale: str) -> None:
        self.name = name
        self.default_locale = default_locale
        self.others: list[str] = []
        self.files: dict[str, set[str]] = {"": set()}
        for path in sorted(paths):
            place = PurePosixPath(path).relative_to(name)
            locale = "" if len(place.parts) == 1 else str(place.parent)
            if place.name in OWN_FILES and (not locale or is_locale(locale)):
                self.files.setdefault(locale, set()).add(place.name)
            elif path != f"{name}/{DECLARATION}":
                self.others.append(path)

    def places(self, locale: str) -> list[set[str]]:
        """The folders in which a locale's files are looked for, the best first."""
        return [self.files.get(one, set()) for one in (*locale_chain(locale), "")]

    def has(self, locale: str, *names: str) -> bool:
        """Whether one of the files is there for a locale."""
        return any(one in files for files in self.places(locale) for one in names)

    def path(self, locale: str, file: str = "") -> str:
        """From the templates folder."""
        return "/".join(part for part in (self.name, locale, file) if part)

    def finding(
        self, path: str, rule: str, message: str, advice: str, severity: Severity = Severity.WARNING
    ) -> Finding:
        """A finding of a whole file or folder."""
        return Finding(
            template=self.name,
            file=path,
            rule=rule,
            severity=severity,
            message=message,
            advice=advice,
        )


def _strangers(folder: _TemplateFolder, used: Collection[str]) -> Iterator[Finding]:
    for path in folder.others:
        place = PurePosixPath(path)
        inner = str(place.parent.relative_to(folder.name))
        if place.name in OWN_FILES and inner != ".":
            yield folder.finding(
                path,
                "unknown-language",
                f"“{inner}” is no language that Tidings knows.",
                "Name the folder by the language's code, such as sv, de or pt-BR.",
                Severity.ERROR,
            )
        elif path not in used:
            alike = get_close_matches(place.name, [*OWN_FILES, DECLARATION], n=1, cutoff=0.7)
            advice = f"Is it meant to be {alike[0]}?" if alike else "Take it away, or include it."
            yield folder.finding(path, "unused-file", "Nothing uses this file.", advice)


def _titles(folder: _TemplateFolder) -> Iterator[Finding]:
    for medium, title in TITLE_FILES.items():
        for locale, files in folder.files.items():
            bodies = [name for name in BODY_FILES[medium] if name in files]
            if bodies and not folder.has(locale, title):
                yield folder.finding(
                    folder.path(locale, bodies[0]),
                    "missing-subject",
                    f"There is no {title} to go with this.",
                    f"Write {folder.path(locale, title)}: one line, that people read first.",
                    Severity.ERROR if medium is Medium.EMAIL else Severity.WARNING,
                )
            elif title in files and not folder.has(locale, *BODY_FILES[medium]):
                yield folder.finding(
                    folder.path(locale, title),
                    "missing-text",
                    f"There is no text to go with this: it does not make {_WORDS[medium]}.",
                    f"Write {folder.path(locale, BODY_FILES[medium][-1])}.",
                )


def _plain_text(folder: _TemplateFolder) -> Iterator[Finding]:
    for locale, files in folder.files.items():
        for name in _MARKUP:
            if name in files and not folder.has(locale, "email.txt"):
                yield folder.finding(
                    folder.path(locale, name),
                    "no-plain-text",
                    "There is no email.txt: who reads plain text gets what Tidings makes of the "
                    "HTML.",
                    f"Write {folder.path(locale, 'email.txt')} in words of your own.",
                )


def _translations(folder: _TemplateFolder) -> Iterator[Finding]:
    for locale in folder.files:
        if not locale or locale_chain(locale)[-1] == locale_chain(folder.default_locale)[-1]:
            continue
        spoken = set[str]().union(*folder.places(locale)[:-1])
        missing = [
            name
            for name in sorted(folder.files[""])
            if name not in spoken and not (name in _MARKUP and spoken & {*_MARKUP})
        ]
        if missing:
            yield folder.finding(
                folder.path(locale),
                "missing-translation",
                f"There is no {', '.join(missing)} in {language_name(locale)}: people get "
                f"{language_name(folder.default_locale)} instead.",
                f"Write {'them' if missing[1:] else 'it'} in the folder {folder.path(locale)}.",
            )
    yield from _without_default(folder)


def _without_default(folder: _TemplateFolder) -> Iterator[Finding]:
    for medium, names in BODY_FILES.items():
        speaking = [locale for locale, files in folder.files.items() if files & {*names}]
        if speaking and "" not in speaking:
            yield folder.finding(
                folder.path(speaking[0]),
                "missing-translation",
                f"There is {_WORDS[medium]} in {language_name(speaking[0])} alone: "
                f"who wants another language gets none.",
                f"Write {folder.path('', names[-1])} in {language_name(folder.default_locale)}.",
            )


def _languages(folder: _TemplateFolder, wanted: Collection[str]) -> Iterator[Finding]:
    for locale in wanted:
        chain = locale_chain(locale)
        own = chain[-1] == locale_chain(folder.default_locale)[-1]
        if not own and not any(one in folder.files for one in chain):
            yield folder.finding(
                folder.path(""),
                "missing-translation",
                f"There is no {language_name(locale)} at all.",
                f"Make the folder {folder.path(locale)} with the files of {folder.name} in it, "
                "translated.",
                Severity.ERROR,
            )


def language_name(locale: str) -> str:
    """A language as people call it: Swedish, Portuguese (Brazil)."""
    return Locale.parse(locale, sep="-").get_display_name("en") or locale
