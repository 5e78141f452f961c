"""The templates that there are, each in its newest good version, as its author edits it."""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import RLock

import orjson
import structlog

from communication import metrics
from communication.catalogue.characteristic import Characteristic
from communication.catalogue.composition import compose
from communication.catalogue.folder import TENANTS, Folder, Reading, Stamps
from communication.catalogue.snapshot import (
    BrokenTemplate,
    Fault,
    Medium,
    Snapshot,
    TemplateError,
    TemplateNotFound,
    UnreadableTemplates,
)
from communication.catalogue.tenant_folder import open_folder, tenants_of
from communication.encoding import to_json
from communication.ids import new_id
from communication.public_id import TENANT
from communication.settings import Settings

__all__ = [
    "BrokenTemplate",
    "Catalogue",
    "Characteristic",
    "Fault",
    "Medium",
    "Snapshot",
    "TemplateError",
    "TemplateNotFound",
    "open_catalogue",
]

LOOK_EVERY = 0.02
"""Seconds for which the folder is not looked at again."""
REST = 0.25
"""Seconds between waits for a folder that is being written to all the time."""
PATIENCE = 0.2
"""Seconds to wait for an author's program to finish saving, while an older version is there."""
FIRST_PATIENCE = 2.0
"""The same where there is no older version."""
QUIET = 0.1
"""Seconds for which files must be left alone before they are taken as saved."""
MOST_RESTLESS = 1.0
BREATH = 0.02
"""The same for files that have never been left alone for MOST_RESTLESS seconds."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")

log = structlog.get_logger("templates")

Trial = Callable[[Snapshot], Fault | None]


def no_trial(_snapshot: Snapshot) -> Fault | None:
    """Every version will do that has no fault in its syntax."""
    return None


def open_catalogue(settings: Settings, trial: Trial | None = None) -> "Catalogue":
    """The catalogue of the settings; the workers' has a trial."""
    return Catalogue(
        settings.templates,
        settings.data / "templates",
        default_locale=settings.locale,
        trial=trial,
    )


@dataclass(slots=True, kw_only=True)
class _Entry:
    """What is known of one template, as all see it or as one tenant does."""

    name: str
    tenant: str
    """Empty where it is the one that all see."""
    folder: Folder
    kept: Path | None
    """The file of the last good version."""
    lock: RLock = field(default_factory=RLock)
    good: Snapshot | None = None
    fault: Fault | None = None
    missing: bool = False
    stamps: Stamps | None = None
    look_at: float = 0.0
    restless_since: float | None = None


class Catalogue:
    """The templates in a folder; shared by threads. A broken edit leaves the last good version.

    `keep`: a folder for the last good versions, so that they outlive this process. Those with a
    `trial` write it, the others only read it. The trial says what is wrong with a new version
    that can only be seen by rendering it.
    """

    def __init__(
        self,
        root: Path,
        keep: Path | None = None,
        *,
        default_locale: str = "en",
        trial: Trial | None = None,
    ) -> None:
        self._root = root
        self._keep = keep
        self._default_locale = default_locale
        self._saves = trial is not None
        self._trial = trial or no_trial
        self._entries: dict[tuple[str, str], _Entry] = {}
        self._tenants = frozenset[str]()
        self._tenants_looked_at = -LOOK_EVERY
        self._lock = RLock()

    def names(self) -> list[str]:
        """Of all templates that are no tenant's own, broken ones too."""
        return [name for name in Folder(self._root).tops() if _NAME.fullmatch(name)]

    def snapshot(self, name: str, tenant: str = "") -> Snapshot:
        """The newest good version, as a tenant sees it or as all do.

        TemplateNotFound; BrokenTemplate if there is no good one.
        """
        entry = self._entry(name, tenant)
        with entry.lock:
            self._refresh(entry)
            if entry.missing:
                self._forget(entry)
                raise TemplateNotFound(name)
            if entry.good is None:
                raise BrokenTemplate(name, entry.fault or Fault(message="is being written"))
            return entry.good

    def fault(self, name: str, tenant: str = "") -> Fault | None:
        """What is wrong with the newest version; None if it is good."""
        entry = self._entry(name, tenant)
        with entry.lock:
            self._refresh(entry)
            return entry.fault

    def faults(self) -> Mapping[str, Fault]:
        """Of all templates whose newest version is broken."""
        found = {name: self.fault(name) for name in self.names()}
        return {name: fault for name, fault in found.items() if fault is not None}

    def _entry(self, name: str, tenant: str) -> _Entry:
        if not _NAME.fullmatch(name):
            raise TemplateNotFound(name)
        with self._lock:
            try:
                key = (name, tenant if self._has_own(tenant) else "")
            except UnreadableTemplates as error:
                log.warning("templates can't be looked at", why=str(error))
                raise TemplateNotFound(name) from error
            if key not in self._entries:
                self._entries[key] = self._new_entry(*key)
            return self._entries[key]

    def _has_own(self, tenant: str) -> bool:
        moment = time.monotonic()
        if moment - self._tenants_looked_at >= LOOK_EVERY:
            self._tenants, self._tenants_looked_at = tenants_of(self._root), moment
        return tenant in self._tenants and TENANT.fullmatch(tenant) is not None

    def _new_entry(self, name: str, tenant: str) -> _Entry:
        own = f"{TENANTS}/{tenant}/" if tenant else ""
        kept = self._keep and self._keep / f"{own}{name}.json"
        return _Entry(name=name, tenant=tenant, folder=open_folder(self._root, tenant), kept=kept)

    def _forget(self, entry: _Entry) -> None:
        with self._lock:
            self._entries.pop((entry.name, entry.tenant), None)

    def _refresh(self, entry: _Entry) -> None:
        moment = time.monotonic()
        if moment < entry.look_at:
            return
        entry.look_at = moment + LOOK_EVERY
        if entry.stamps is None and entry.good is None:
            entry.good = self._kept(entry)
        try:
            self._look(entry)
        except BrokenTemplate as error:
            self._broke(entry, error.fault)
        except TemplateNotFound:
            entry.missing = True
        except UnreadableTemplates as error:
            entry.missing = entry.good is None
            log.warning("templates can't be looked at", why=str(error))

    def _look(self, entry: _Entry) -> None:
        """Take a new version if there is one. BrokenTemplate, TemplateNotFound."""
        name = entry.name
        tops = [name, *(one for one in entry.folder.tops() if one.startswith("_"))]
        if entry.stamps is not None and entry.folder.stamps(tops) == entry.stamps:
            entry.restless_since = None
            return
        reading = self._read(tops, entry)
        if reading is None:
            return
        entry.stamps, entry.restless_since = reading.stamps, None
        snapshot = compose(
            name, reading.texts, reading.refused, default_locale=self._default_locale
        )
        if entry.good is None or entry.good.version != snapshot.version:
            fault = self._trial(snapshot)
            if fault is not None:
                raise BrokenTemplate(name, fault)
            log.info("template read", template=name, tenant=entry.tenant, version=snapshot.version)
            entry.good = snapshot
        self._save(snapshot, entry.kept)
        entry.fault = None

    def _read(self, tops: list[str], entry: _Entry) -> Reading | None:
        """None while somebody writes. Where they never rest, a short pause must do."""
        moment = time.monotonic()
        restless = moment - (entry.restless_since or moment) > MOST_RESTLESS
        reading = entry.folder.read(
            tops,
            quiet=BREATH if restless else QUIET,
            patience=PATIENCE if entry.good else FIRST_PATIENCE,
        )
        if reading is None:
            entry.restless_since = entry.restless_since or moment
            entry.look_at = time.monotonic() + REST
        return reading

    def _broke(self, entry: _Entry, fault: Fault) -> None:
        if fault == entry.fault:
            return
        entry.fault = fault
        metrics.TEMPLATE_FAULTS.labels(entry.tenant, entry.name).inc()
        log.error(
            "template broken",
            template=entry.name,
            tenant=entry.tenant,
            fault=str(fault),
            still_sending=entry.good and entry.good.version,
        )

    def _kept(self, entry: _Entry) -> Snapshot | None:
        """The last good version that was saved; None if there is none that still will do."""
        if entry.kept is None:
            return None
        try:
            files = orjson.loads(entry.kept.read_bytes())["files"]
            return compose(entry.name, files, {}, default_locale=self._default_locale)
        except (OSError, ValueError, KeyError, TemplateError):
            return None

    def _save(self, snapshot: Snapshot, place: Path | None) -> None:
        if place is None or not self._saves:
            return
        draft = place.with_name(f"{new_id()}.tmp")
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            draft.write_bytes(to_json(snapshot.as_json()))
            draft.replace(place)
        except OSError as error:
            log.warning(
                "the last good version can't be kept", template=snapshot.name, why=str(error)
            )
