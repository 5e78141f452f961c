"""A template rendered with its examples: in every locale, for every medium, in every case."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from jinja2 import Undefined

from communication.catalogue.snapshot import TITLE_FILES, Fault, Medium, Snapshot
from communication.errors import DeliveryError
from communication.sms_text import beyond_gsm_7, measure, simplify
from tidings.templates import markup
from tidings.templates.cases import Case, cases
from tidings.templates.faults import finding_of
from tidings.templates.findings import Finding, Severity
from tidings.templates.structure import language_name
from worker.templates.environment import Sandbox
from worker.templates.renderer import Done, NotRendered, Renderer, Result
from worker.templates.rendering import Rendered
from worker.templates.wire import RenderJob

Render = Callable[[Sequence[RenderJob], Done], None]
"""Renders jobs in bounds of time and memory, and calls back for each."""

_SECONDS = 2.0
_MEMORY = 512 * 1024 * 1024
_CLIPPED = 102_400
"""Bytes of HTML after which Gmail hides the rest."""

_OF_VALUES = frozenset({"broken", "empty", "missing-subject", "unknown-variable"})
"""What may be wrong with made-up values alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How large an SMS may be, and whether typography in it is simplified before it is sent."""

    segments: int
    simplified: bool


@dataclass(frozen=True, slots=True)
class _Try:
    locale: str
    medium: Medium
    case: Case

    def name(self, default_locale: str) -> str:
        """In words: in Swedish, with status = late. Empty for the examples in the default."""
        if self.locale == default_locale and not self.case.name:
            return ""
        return ", ".join(filter(None, (f"in {language_name(self.locale)}", self.case.name)))


def try_all(snapshot: Snapshot, limits: Limits, render: Render) -> Iterator[Finding]:
    """What is wrong with what comes out."""
    tries = list(_tries(snapshot))
    pages = _Pages(snapshot)
    for one, result in zip(tries, _results(snapshot, tries, render), strict=True):
        if isinstance(result, Rendered):
            found = _rendered(snapshot, one, result, limits, pages)
        else:
            found = _failed(snapshot, one, result, pages)
        for finding in found:
            yield replace(finding, case=one.name(snapshot.default_locale))
            if finding.rule == "too-slow":
                return  # the renderer refuses the rest: that is no fault of theirs


def _results(snapshot: Snapshot, tries: Sequence[_Try], render: Render) -> list[Result]:
    """In the order of the tries."""
    jobs = [_job(snapshot, one) for one in tries]
    results: dict[int, Result] = {}

    def note(job: RenderJob, result: Result) -> None:
        results[id(job)] = result

    render(jobs, note)
    return [results[id(job)] for job in jobs]


def _tries(snapshot: Snapshot) -> Iterator[_Try]:
    tried = list(cases(snapshot.characteristics))
    for locale in dict.fromkeys((snapshot.default_locale, *snapshot.locales)):
        for medium in Medium:
            if snapshot.has(medium, locale):
                yield from (_Try(locale, medium, case) for case in tried)


def _job(snapshot: Snapshot, one: _Try) -> RenderJob:
    return RenderJob(
        snapshot=snapshot,
        medium=one.medium,
        locale=one.locale,
        values=one.case.values,
        receiver=one.case.receiver,
    )


def _failed(
    snapshot: Snapshot, one: _Try, error: DeliveryError, pages: "_Pages"
) -> Iterator[Finding]:
    fault = error.fault if isinstance(error, NotRendered) else Fault(message=error.reason)
    finding = finding_of(snapshot.name, fault, snapshot.files)
    title = TITLE_FILES.get(one.medium)
    if finding.rule == "empty" and title and finding.file.endswith(title):
        finding = replace(finding, rule="missing-subject")
    if finding.file not in snapshot.files:
        body = snapshot.body(one.medium, one.locale)
        finding = replace(finding, file=body or snapshot.name)
    if finding.rule == "mjml" and (flaws := list(pages.findings(finding.file, one))):
        yield from flaws  # the compiler knows no places in the author's files
        return
    if finding.rule in _OF_VALUES and not snapshot.declared:
        finding = replace(
            finding,
            severity=Severity.WARNING,
            advice="Give examples of the values in template.toml, so that this can be tried.",
        )
    yield finding


def _rendered(
    snapshot: Snapshot, one: _Try, message: Rendered, limits: Limits, pages: "_Pages"
) -> Iterator[Finding]:
    path = snapshot.body(one.medium, one.locale) or snapshot.name
    if one.medium is Medium.SMS:
        yield from _sms(snapshot.name, path, message.text, limits)
    elif message.html is not None:
        yield from pages.findings(path, one)
        if len(message.html.encode()) > _CLIPPED:
            yield _finding(
                snapshot.name,
                path,
                "too-large",
                f"The email has {len(message.html.encode()):,} bytes; Gmail hides what is beyond "
                f"{_CLIPPED:,}.",
                "Make it shorter.",
                Severity.WARNING,
            )


def _sms(name: str, path: str, text: str, limits: Limits) -> Iterator[Finding]:
    sent = simplify(text) if limits.simplified else text
    size = measure(sent)
    odd = beyond_gsm_7(sent)
    if size.segments > limits.segments:
        yield _finding(
            name,
            path,
            "sms-too-long",
            f"This SMS takes {size.segments} segments ({size.characters} characters in "
            f"{size.encoding}), more than {limits.segments}; each is paid for.",
            f"Make it shorter, or do without {_listed(odd)}: without them more fits into each."
            if odd
            else "Make it shorter.",
        )
    simple = measure(simplify(sent))
    if odd and simple.segments < size.segments:
        yield _finding(
            name,
            path,
            "dear-characters",
            f"{_listed(odd)} in this SMS makes {size.segments} segments of what would be "
            f"{simple.segments}; each is paid for.",
            "Write them as keyboards have them: ' \" - and plain spaces; or let the setting "
            "TIDINGS_SMS_SIMPLIFY do that.",
            Severity.WARNING,
        )


def _listed(characters: str) -> str:
    return " ".join(f"“{one}”" for one in characters[:5])


class _Pages:
    """Emails' markup as it comes out, with the places where it was written."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._marked = replace(snapshot, files=markup.marked(snapshot.files))
        self._sandboxes: dict[str, Sandbox] = {}

    def findings(self, path: str, one: _Try) -> Iterator[Finding]:
        """What is wrong with the markup of one email, which is known to come out."""
        if one.locale not in self._sandboxes:
            self._sandboxes[one.locale] = Sandbox(self._marked, one.locale, markup=True)
        page = self._sandboxes[one.locale].get_template(path).render(self._values(one))
        for flaw in markup.flaws(page, self._snapshot.files):
            yield Finding(
                template=self._snapshot.name,
                file=flaw.file,
                line=flaw.line,
                column=flaw.column,
                rule=flaw.rule,
                severity=flaw.severity,
                message=flaw.message,
                advice=flaw.advice,
            )

    def _values(self, one: _Try) -> Mapping[str, Any]:
        values: dict[str, Any] = {}
        for name, characteristic in self._snapshot.characteristics.items():
            given = one.case.values.get(name, characteristic.default)
            values[name] = Undefined(name=name) if given is None else characteristic.read(given)
        return values | {
            "characteristic": values,
            "receiver": one.case.receiver,
            "locale": one.locale,
            "subject": "",
            "preheader": "",
        }


def _finding(
    name: str,
    path: str,
    rule: str,
    message: str,
    advice: str,
    severity: Severity = Severity.ERROR,
) -> Finding:
    return Finding(
        template=name, file=path, rule=rule, severity=severity, message=message, advice=advice
    )


@contextmanager
def bounded() -> Iterator[Render]:
    """Rendering as the workers do it, so that no template can hold up the check."""
    renderer = Renderer(processes=1, seconds=_SECONDS, memory=_MEMORY)
    try:
        yield renderer.render
    finally:
        renderer.close()
