"""Everything that can be wrong with templates, found before a customer does."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from itertools import islice

from communication.catalogue.composition import compose
from communication.catalogue.folder import Folder, Reading
from communication.catalogue.snapshot import (
    DECLARATION,
    OWN_FILES,
    BrokenTemplate,
    TemplateNotFound,
)
from communication.errors import TidingsError
from tidings.templates import declarations, structure
from tidings.templates.faults import finding_of
from tidings.templates.files import Files, insecure, read_files
from tidings.templates.findings import Finding, Severity, distinct
from tidings.templates.names import missed_names, unknown_names, unused_names
from tidings.templates.trial import Limits, Render, try_all

_QUIET = 0.05
_PATIENCE = 5.0
_MOST_FILES = 2_000


class CheckImpossible(TidingsError):
    """There is nothing that could be checked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the templates of this house must be like."""

    limits: Limits
    default_locale: str = "en"
    locales: Sequence[str] = ()
    """That every template must have."""


def template_names(folder: Folder, wanted: Sequence[str] = ()) -> list[str]:
    """The wanted templates of a folder, or all. CheckImpossible if one is not there."""
    root = folder.root
    if not root.is_dir():
        raise CheckImpossible(f"There is no folder {root}; say with --templates where it is.")
    names = [name for name in folder.tops() if not name.startswith("_")]
    if not names:
        raise CheckImpossible(f"No template is in {root} yet; make one: tidings templates new NAME")
    for name in wanted:
        if name not in names:
            known = ", ".join(names)
            raise CheckImpossible(f"There is no template “{name}” in {root}; there are {known}.")
    return list(dict.fromkeys(wanted)) or names


def check_templates(
    folder: Folder, names: Sequence[str], wishes: Wishes, render: Render
) -> list[Finding]:
    """All faults of some templates, in the order of the files. CheckImpossible."""
    shared = [name for name in folder.tops() if name.startswith("_")]
    found: list[Finding] = []
    for name in names:
        try:
            reading = folder.read([name, *shared], quiet=_QUIET, patience=_PATIENCE)
        except BrokenTemplate as error:
            found.append(finding_of(name, error.fault, {}))
            continue
        if reading is None:
            raise CheckImpossible(f"{folder.root / name} is being written to all the time.")
        found += _misnamed(folder, name, reading)
        found += _check(name, reading, wishes, render)
    return distinct(found)


def _misnamed(folder: Folder, name: str, reading: Reading) -> Iterator[Finding]:
    """Files that Tidings does not read for their names alone, such as email.htm."""
    for path in islice(sorted((folder.own / name).rglob("*.*")), _MOST_FILES):
        known = {*reading.texts, *reading.refused}
        file = path.relative_to(folder.own).as_posix()
        alike = get_close_matches(path.name, OWN_FILES, n=1, cutoff=0.85)
        if file not in known and alike and path.is_file():
            yield Finding(
                template=name,
                file=file,
                rule="unused-file",
                severity=Severity.WARNING,
                message="Nothing uses this file.",
                advice=f"Is it meant to be {alike[0]}?",
            )


def _check(name: str, reading: Reading, wishes: Wishes, render: Render) -> Iterator[Finding]:
    """The files' own faults first, then those that rendering shows."""
    files = read_files(name, reading)
    text = reading.texts.get(f"{name}/{DECLARATION}")
    found = [
        *files.findings,
        *insecure(files),
        *_declaration(name, text),
        *_names(files, declarations.declared(text or "")),
        *structure.check(
            name,
            files.own,
            used=files.used,
            default_locale=declarations.language(text or "") or wishes.default_locale,
            wanted_locales=wishes.locales,
        ),
    ]
    yield from found
    try:
        snapshot = compose(
            name, reading.texts, reading.refused, default_locale=wishes.default_locale
        )
    except TemplateNotFound:
        yield _empty(name)
    except BrokenTemplate as error:
        yield from _unless_known(finding_of(name, error.fault, reading.texts), found)
    else:
        yield from try_all(snapshot, wishes.limits, render)


def _declaration(name: str, text: str | None) -> Iterator[Finding]:
    for flaw in [] if text is None else declarations.check(text):
        yield Finding(template=name, file=f"{name}/{DECLARATION}", **asdict(flaw))


def _names(files: Files, declared: dict[str, int] | None) -> Iterator[Finding]:
    """Nothing where the declaration can't be read: everything would be unknown."""
    if declared is None:
        return
    if not declared:
        yield from _undeclared(files)
        return
    for one in unknown_names(files.sources, files.texts, declared):
        add = f"add [characteristics.{one.name}] to {files.name}/{DECLARATION}."
        yield Finding(
            template=files.name,
            file=one.file,
            line=one.line,
            column=one.column,
            rule="unknown-variable",
            severity=Severity.ERROR if one.is_needed else Severity.WARNING,
            message=f"“{one.name}” is no characteristic of this template.",
            advice=f"Did you mean {one.alike}? Else {add}" if one.alike else add.capitalize(),
        )
    yield from _missed(files, declared)
    for name in sorted(unused_names(files.sources, declared)):
        yield Finding(
            template=files.name,
            file=f"{files.name}/{DECLARATION}",
            line=declared[name],
            rule="unused-characteristic",
            severity=Severity.WARNING,
            message=f"No text uses “{name}”.",
            advice=f"Use it as {{{{ {name} }}}}, or take it away.",
        )


def _missed(files: Files, declared: Collection[str]) -> Iterator[Finding]:
    for path in files.sources:
        for one in missed_names(files.texts[path], declared):
            yield Finding(
                template=files.name,
                file=path,
                line=one.line,
                column=one.column,
                rule="missed-variable",
                severity=Severity.WARNING,
                message=f"“{one.written}” is sent as it stands, not as a value.",
                advice=f"Write {{{{ {one.name} }}}}.",
            )


def _undeclared(files: Files) -> Iterator[Finding]:
    names = sorted({one.name for one in unknown_names(files.sources, files.texts, ())})
    if names:
        yield Finding(
            template=files.name,
            file=files.name,
            rule="no-declaration",
            severity=Severity.WARNING,
            message=f"Nothing says what {', '.join(names)} may be, so that little can be tried.",
            advice=f"Make {files.name}/{DECLARATION} with a part [characteristics.{names[0]}] and "
            "in it an example, and so on.",
        )


def _empty(name: str) -> Finding:
    return Finding(
        template=name,
        file=name,
        rule="empty",
        message="There is nothing in this folder that Tidings can read.",
        advice="Write sms.txt, email.html or push.txt in it.",
    )


def _unless_known(fault: Finding, found: Sequence[Finding]) -> Iterator[Finding]:
    """The catalogue stops at the first fault; most have been found before, and all of them."""
    broken = {one.file for one in found if one.severity is Severity.ERROR}
    if fault.file not in broken:
        yield fault
