"""The templates as they lie on an author's desk: each as it was last saved, with its faults."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Lock

from communication.catalogue.composition import compose
from communication.catalogue.folder import Folder, Reading, Stamps
from communication.catalogue.snapshot import BrokenTemplate, Snapshot, TemplateNotFound
from tidings.templates.check import CheckImpossible, Wishes, check_templates
from tidings.templates.faults import finding_of
from tidings.templates.findings import Finding, Severity
from tidings.templates.trial import Render

_QUIET = 0.05
_PATIENCE = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A template at one moment. `snapshot`: None where a fault lets nothing be rendered."""

    name: str
    texts: Mapping[str, str]
    """Of all its files and the shared ones, by path from the templates folder."""
    findings: Sequence[Finding]
    snapshot: Snapshot | None

    @property
    def errors(self) -> list[Finding]:
        """What customers would notice."""
        return [one for one in self.findings if one.severity is Severity.ERROR]

    @property
    def warnings(self) -> list[Finding]:
        """What is worth mending."""
        return [one for one in self.findings if one.severity is Severity.WARNING]


class Desk:
    """Shared by threads. What has not changed is not looked at again."""

    def __init__(self, folder: Folder, wishes: Wishes, render: Render) -> None:
        self._folder = folder
        self._wishes = wishes
        self._render = render
        self._looks: dict[str, tuple[Stamps, Look]] = {}
        self._good: dict[str, Snapshot] = {}
        self._lock = Lock()

    def names(self) -> list[str]:
        """Of all templates."""
        return [name for name in self._folder.tops() if not name.startswith("_")]

    def place(self, path: str) -> str:
        """Where a template's file is, from the templates folder."""
        return self._folder.place(path)

    def look(self, name: str) -> Look:
        """A template as it is now. TemplateNotFound, CheckImpossible."""
        if name not in self.names():
            raise TemplateNotFound(name)
        with self._lock:
            try:
                return self._look(name)
            except BrokenTemplate as error:
                found = [finding_of(name, error.fault, {})]
                return Look(name=name, texts={}, findings=found, snapshot=None)

    def last_good(self, name: str) -> Snapshot | None:
        """The last version without a fault that was looked at; None if there was none."""
        return self._good.get(name)

    def _look(self, name: str) -> Look:
        tops = [name, *(one for one in self._folder.tops() if one.startswith("_"))]
        if name in self._looks and self._looks[name][0] == self._folder.stamps(tops):
            return self._looks[name][1]
        reading = self._folder.read(tops, quiet=_QUIET, patience=_PATIENCE)
        if reading is None:
            raise CheckImpossible(f"{name} is being written to all the time.")
        findings = check_templates(self._folder, [name], self._wishes, self._render)
        snapshot = self._composed(name, reading, findings)
        if snapshot is not None:
            self._good[name] = snapshot
        look = Look(name=name, texts=reading.texts, findings=findings, snapshot=snapshot)
        self._looks[name] = (reading.stamps, look)
        return look

    def _composed(self, name: str, reading: Reading, findings: list[Finding]) -> Snapshot | None:
        """None for one that is broken: what is wrong with it is among the findings then."""
        try:
            return compose(
                name,
                reading.texts,
                reading.refused,
                default_locale=self._wishes.default_locale,
            )
        except TemplateNotFound:
            return None
        except BrokenTemplate as error:
            if not any(one.severity is Severity.ERROR for one in findings):
                findings.append(finding_of(name, error.fault, reading.texts))
            return None
