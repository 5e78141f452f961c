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
from communication.catalogue.folder import Folder, Reading, Stamps
from communication.catalogue.snapshot import (
    BrokenTemplate,
    Fault,
    Medium,
    Snapshot,
    TemplateError,
    TemplateNotFound,
)
from communication.encoding import to_json
from communication.ids import new_id
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


@dataclass(slots=True)
class _Entry:
    """What is known of one template."""

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
        folder: Path,
        keep: Path | None = None,
        *,
        default_locale: str = "en",
        trial: Trial | None = None,
    ) -> None:
        self._folder = Folder(folder)
        self._keep = keep
        self._default_locale = default_locale
        self._saves = trial is not None
        self._trial = trial or no_trial
        self._entries: dict[str, _Entry] = {}
        self._lock = RLock()

    def names(self) -> list[str]:
        """Of all templates, broken ones too."""
        return [name for name in self._folder.tops() if _NAME.fullmatch(name)]

    def snapshot(self, name: str) -> Snapshot:
        """The newest good version. TemplateNotFound; BrokenTemplate if there is no good one."""
        entry = self._entry(name)
        with entry.lock:
            self._refresh(name, entry)
            if entry.missing:
                self._forget(name)
                raise TemplateNotFound(name)
            if entry.good is None:
                raise BrokenTemplate(name, entry.fault or Fault(message="is being written"))
            return entry.good

    def fault(self, name: str) -> Fault | None:
        """What is wrong with the newest version; None if it is good."""
        entry = self._entry(name)
        with entry.lock:
            self._refresh(name, entry)
            return entry.fault

    def faults(self) -> Mapping[str, Fault]:
        """Of all templates whose newest version is broken."""
        found = {name: self.fault(name) for name in self.names()}
        return {name: fault for name, fault in found.items() if fault is not None}

    def _entry(self, name: str) -> _Entry:
        if not _NAME.fullmatch(name):
            raise TemplateNotFound(name)
        with self._lock:
            return self._entries.setdefault(name, _Entry())

    def _forget(self, name: str) -> None:
        with self._lock:
            self._entries.pop(name, None)

    def _refresh(self, name: str, entry: _Entry) -> None:
        moment = time.monotonic()
        if moment < entry.look_at:
            return
        entry.look_at = moment + LOOK_EVERY
        if entry.stamps is None and entry.good is None:
            entry.good = self._kept(name)
        try:
            self._look(name, entry)
        except BrokenTemplate as error:
            self._broke(name, entry, error.fault)
        except TemplateNotFound:
            entry.missing = True

    def _look(self, name: str, entry: _Entry) -> None:
        """Take a new version if there is one. BrokenTemplate, TemplateNotFound."""
        tops = [name, *(one for one in self._folder.tops() if one.startswith("_"))]
        if entry.stamps is not None and self._folder.stamps(tops) == entry.stamps:
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
            log.info("template read", template=name, version=snapshot.version)
            entry.good = snapshot
        self._save(snapshot)
        entry.fault = None

    def _read(self, tops: list[str], entry: _Entry) -> Reading | None:
        """None while somebody writes. Where they never rest, a short pause must do."""
        moment = time.monotonic()
        restless = moment - (entry.restless_since or moment) > MOST_RESTLESS
        reading = self._folder.read(
            tops,
            quiet=BREATH if restless else QUIET,
            patience=PATIENCE if entry.good else FIRST_PATIENCE,
        )
        if reading is None:
            entry.restless_since = entry.restless_since or moment
            entry.look_at = time.monotonic() + REST
        return reading

    def _broke(self, name: str, entry: _Entry, fault: Fault) -> None:
        if fault == entry.fault:
            return
        entry.fault = fault
        metrics.TEMPLATE_FAULTS.labels("", name).inc()
        log.error(
            "template broken",
            template=name,
            fault=str(fault),
            still_sending=entry.good and entry.good.version,
        )

    def _kept(self, name: str) -> Snapshot | None:
        """The last good version that was saved; None if there is none that still will do."""
        if self._keep is None:
            return None
        try:
            files = orjson.loads((self._keep / f"{name}.json").read_bytes())["files"]
            return compose(name, files, {}, default_locale=self._default_locale)
        except (OSError, ValueError, KeyError, TemplateError):
            return None

    def _save(self, snapshot: Snapshot) -> None:
        if self._keep is None or not self._saves:
            return
        place = self._keep / f"{snapshot.name}.json"
        draft = place.with_name(f"{new_id()}.tmp")
        try:
            self._keep.mkdir(parents=True, exist_ok=True)
            draft.write_bytes(to_json(snapshot.as_json()))
            draft.replace(place)
        except OSError as error:
            log.warning(
                "the last good version can't be kept", template=snapshot.name, why=str(error)
            )
