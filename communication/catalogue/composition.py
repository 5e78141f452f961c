"""From the texts of files to a snapshot of one template, or to its first fault."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from types import MappingProxyType

from babel import localedata

from communication.catalogue.characteristic import Characteristic
from communication.catalogue.declaration import Declaration, read_declaration
from communication.catalogue.snapshot import (
    BODY_FILES,
    DECLARATION,
    FILES_OF,
    LOCALE,
    OWN_FILES,
    RESERVED,
    BrokenTemplate,
    Fault,
    Medium,
    Snapshot,
    TemplateNotFound,
    canonical_locale,
    variants,
)
from communication.catalogue.source import Reference, Source, read_source
from communication.encoding import canonical_json


def compose(
    name: str, texts: Mapping[str, str], refused: Mapping[str, Fault], *, default_locale: str
) -> Snapshot:
    """A template of the files given, of which it takes what it needs; `refused`: faulty ones.

    TemplateNotFound if none is its own; BrokenTemplate for the first fault.
    """
    own = {path: text for path, text in texts.items() if path.startswith(f"{name}/")}
    own_refused = [path for path in refused if path.startswith(f"{name}/")]
    if own_refused:
        raise BrokenTemplate(name, refused[own_refused[0]])
    if not own:
        raise TemplateNotFound(name)
    locales = _locales(name, own)
    entries = [path for path in own if _is_entry(name, path, locales)]
    _check_entries(name, own, entries)
    sources = _reach(name, entries, locales, texts, refused)
    declaration_path = f"{name}/{DECLARATION}"
    declaration = Declaration()
    if declaration_path in own:
        declaration = read_declaration(declaration_path, own[declaration_path])
    files = {path: texts[path] for path in sorted({*sources, declaration_path} & texts.keys())}
    wanted = {medium: _wanted(name, medium, locales, sources) for medium in Medium}
    if declaration.characteristics:
        _check_declared(name, declaration, wanted)
    characteristics = declaration.characteristics or _inferred(wanted)
    return Snapshot(
        name=name,
        version=version_of(files),
        files=MappingProxyType(files),
        characteristics=MappingProxyType(dict(characteristics)),
        declared=bool(declaration.characteristics),
        needs=MappingProxyType(_needs(declaration, wanted)),
        locales=tuple(sorted(locales)),
        default_locale=declaration.locale or default_locale,
        description=declaration.description,
    )


def version_of(files: Mapping[str, str]) -> str:
    """The SHA-256 of files, by path and text, in hexadecimal digits."""
    return hashlib.sha256(canonical_json(dict(files))).hexdigest()


def _locales(name: str, own: Iterable[str]) -> set[str]:
    found = set()
    for path in own:
        parts = PurePosixPath(path).parts
        if len(parts) > 2 and is_locale(parts[1]):  # noqa: PLR2004 - template, folder, file
            found.add(parts[1])
            if parts[1] != canonical_locale(parts[1]):
                wanted = f"{name}/{canonical_locale(parts[1])}"
                raise _broken(name, f"{name}/{parts[1]}", None, f"name this folder {wanted}")
    return found


def is_locale(folder: str) -> bool:
    """Whether a folder's name is that of a language that is known."""
    if not LOCALE.fullmatch(folder):
        return False
    return bool(localedata.exists(canonical_locale(folder).split("-")[0]))


def _is_entry(name: str, path: str, locales: Iterable[str]) -> bool:
    place = PurePosixPath(path)
    folders = {name, *(f"{name}/{locale}" for locale in locales)}
    return place.name in OWN_FILES and str(place.parent) in folders


def _check_entries(name: str, own: Mapping[str, str], entries: list[str]) -> None:
    if not entries:
        names = ", ".join(names[0] for names in BODY_FILES.values())
        raise _broken(name, name, None, f"has no text yet: write one of {names}")
    for path in entries:
        if not own[path].strip():
            raise _broken(name, path, 1, "is empty")
        if path.endswith("email.mjml") and path.removesuffix("mjml") + "html" in own:
            raise _broken(name, path, None, "is there beside email.html; keep one of the two")


def _reach(
    name: str,
    entries: Iterable[str],
    locales: Iterable[str],
    texts: Mapping[str, str],
    refused: Mapping[str, Fault],
) -> dict[str, Source]:
    """Every file that can be part of a message, by path."""
    found: dict[str, Source] = {}
    waiting = list(entries)
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        found[path] = read_source(path, texts[path])
        for reference in found[path].references:
            _check_place(name, path, reference)
            places = [*_places(reference, locales)]
            for place in places:
                if place in refused:
                    raise BrokenTemplate(name, refused[place])
            targets = [one for one in places if one in texts]
            if not targets and not reference.optional:
                raise _broken(name, path, reference.line, f"there is no file {reference.path}")
            waiting += targets
    _check_circles(name, found, locales)
    return found


def _check_place(name: str, path: str, reference: Reference) -> None:
    top = reference.path.split("/", 1)[0]
    if top != name and not top.startswith("_"):
        raise _broken(
            name,
            path,
            reference.line,
            f"{reference.path} is another template's; what several share goes into a folder "
            "whose name begins with _",
        )


def _places(reference: Reference, locales: Iterable[str]) -> Iterator[str]:
    """The file and its variants in the template's locales and what those fall back to."""
    yield reference.path
    for locale in locales:
        yield from variants(reference.path, locale)


def _check_circles(name: str, sources: Mapping[str, Source], locales: Iterable[str]) -> None:
    done: set[str] = set()

    def visit(path: str, above: tuple[str, ...]) -> None:
        for reference in sources[path].references:
            for target in set(_places(reference, locales)) & sources.keys():
                if target in (*above, path):
                    raise _broken(name, path, reference.line, f"{target} comes to itself again")
                if target not in done:
                    visit(target, (*above, path))
        done.add(path)

    for path in sources:
        try:
            visit(path, ())
        except RecursionError:
            raise _broken(name, path, 1, "is nested too deeply") from None


def _wanted(
    name: str, medium: Medium, locales: Iterable[str], sources: Mapping[str, Source]
) -> dict[str, tuple[bool, str, int]]:
    """What a medium's files want from outside: whether it is needed, and where it is used."""
    wanted: dict[str, tuple[bool, str, int]] = {}
    entries = [
        path for path in sources
        if PurePosixPath(path).name in FILES_OF[medium] and path.startswith(f"{name}/")
    ]  # fmt: skip
    for path, given in _given(entries, locales, sources).items():
        source = sources[path]
        for variable, line in source.wanted.items():
            if variable in given or variable in RESERVED:
                continue
            needed = variable not in source.optional
            already = wanted.get(variable, (False, path, line))
            wanted[variable] = (needed or already[0], *already[1:])
    return wanted


def _given(
    entries: Iterable[str], locales: Iterable[str], sources: Mapping[str, Source]
) -> dict[str, frozenset[str]]:
    """All files that the entries lead to, each with the names that those above it may set."""
    given = dict.fromkeys(entries, frozenset[str]())
    waiting = list(given)
    while waiting:
        path = waiting.pop()
        handed = given[path] | sources[path].assigned
        for reference in sources[path].references:
            for target in set(_places(reference, locales)) & sources.keys():
                if target not in given or not handed <= given[target]:
                    given[target] = given.get(target, frozenset()) | handed
                    waiting.append(target)
    return given


def _inferred(
    wanted: Mapping[Medium, Mapping[str, tuple[bool, str, int]]],
) -> dict[str, Characteristic]:
    needed: dict[str, bool] = {}
    for names in wanted.values():
        for name, (required, _, _) in names.items():
            needed[name] = needed.get(name, False) or required
    return {name: Characteristic(name=name, required=needed[name]) for name in sorted(needed)}


def _needs(
    declaration: Declaration, wanted: Mapping[Medium, Mapping[str, tuple[bool, str, int]]]
) -> dict[Medium, frozenset[str]]:
    if declaration.characteristics:
        required = frozenset(
            name for name, one in declaration.characteristics.items() if one.required
        )
        return dict.fromkeys(Medium, required)
    return {
        medium: frozenset(name for name, (needed, _, _) in names.items() if needed)
        for medium, names in wanted.items()
    }


def _check_declared(
    name: str,
    declaration: Declaration,
    wanted: Mapping[Medium, Mapping[str, tuple[bool, str, int]]],
) -> None:
    known = declaration.characteristics
    for names in wanted.values():
        for variable, (needed, path, line) in names.items():
            if variable not in known and needed:
                hint = f"add [characteristics.{variable}] to {name}/{DECLARATION}"
                raise _broken(name, path, line, f"unknown variable {variable!r}; {hint}")


def _broken(name: str, path: str, line: int | None, message: str) -> BrokenTemplate:
    return BrokenTemplate(name, Fault(message=message, file=path, line=line))
