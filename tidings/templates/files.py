"""A template's files as an author wrote them, with the faults that their syntax shows."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from communication.catalogue.composition import is_locale
from communication.catalogue.folder import Reading
from communication.catalogue.snapshot import BrokenTemplate, variants
from communication.catalogue.source import Source, read_source
from tidings.templates.blocks import unbalanced
from tidings.templates.faults import finding_of
from tidings.templates.findings import Finding
from tidings.templates.markup import insecure_addresses

_TEXTS = (".txt", ".html", ".mjml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """The template's own files, and those that they lead to."""

    name: str
    texts: Mapping[str, str]
    own: tuple[str, ...]
    """The paths of its own."""
    sources: Mapping[str, Source]
    """Syntax by path, of those that have no fault in it."""
    findings: list[Finding] = field(default_factory=list)

    @property
    def used(self) -> set[str]:
        """What one of the files extends or includes."""
        return {
            target
            for source in self.sources.values()
            for reference in source.references
            for target in _targets(reference.path, self.locales)
        }

    @property
    def locales(self) -> set[str]:
        """Those with folders of their own."""
        return _locales(self.own)


def read_files(name: str, reading: Reading) -> Files:
    """All that can be read; the rest is in the findings."""
    own = tuple(path for path in reading.texts if path.startswith(f"{name}/"))
    refused = [fault for path, fault in reading.refused.items() if path.startswith(f"{name}/")]
    findings = [finding_of(name, fault, reading.texts) for fault in refused]
    sources: dict[str, Source] = {}
    waiting = [path for path in reversed(own) if path.endswith(_TEXTS)]
    seen = set(waiting)
    while waiting:
        path = waiting.pop()
        faults = list(_faults(name, path, reading.texts))
        findings += faults
        if not faults:
            source = _source(name, path, reading.texts)
            if isinstance(source, Finding):
                findings.append(source)
                continue
            sources[path] = source
            fresh = _led_to(source, own, reading.texts) - seen
            waiting += sorted(fresh)
            seen |= fresh
    return Files(name=name, texts=reading.texts, own=own, sources=sources, findings=findings)


def _faults(name: str, path: str, texts: Mapping[str, str]) -> Iterator[Finding]:
    is_plain = path.endswith(".txt")
    for fault in unbalanced(texts[path], plain_text=is_plain):
        yield Finding(
            template=name,
            file=path,
            line=fault.line,
            column=fault.column,
            rule="unclosed-tag",
            message=fault.message,
            advice=fault.advice,
        )


def insecure(files: Files) -> Iterator[Finding]:
    """http:// in plain text; in markup it is looked for where it comes out."""
    for path in files.sources:
        if not path.endswith(".txt"):
            continue
        for line, column in insecure_addresses(files.texts[path]):
            yield Finding(
                template=files.name,
                file=path,
                line=line,
                column=column,
                rule="link-not-https",
                message="This address begins with http: instead of https:.",
                advice="Write https:// if the site has it; phones and mail programs warn of http.",
            )


def _source(name: str, path: str, texts: Mapping[str, str]) -> Source | Finding:
    try:
        return read_source(path, texts[path])
    except BrokenTemplate as error:
        return finding_of(name, error.fault, texts)


def _led_to(source: Source, own: tuple[str, ...], texts: Mapping[str, str]) -> set[str]:
    locales = _locales(own)
    return {
        target
        for reference in source.references
        for target in _targets(reference.path, locales)
        if target in texts
    }


def _targets(path: str, locales: set[str]) -> set[str]:
    """A file and its variants in the locales and what they fall back to."""
    return {path}.union(*(variants(path, locale) for locale in locales))


def _locales(own: tuple[str, ...]) -> set[str]:
    folders = (PurePosixPath(path).parts[1:-1] for path in own)
    return {parts[0] for parts in folders if parts and is_locale(parts[0])}
