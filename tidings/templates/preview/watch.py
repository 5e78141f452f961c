"""Whether somebody has saved a file."""

import hashlib
import time

from communication.catalogue.folder import Folder
from communication.catalogue.snapshot import TemplateError

_LOOK_EVERY = 0.2
"""Seconds."""


class Watch:
    """The state of all files of the templates folder, as a word that changes when they do."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder

    def state(self) -> str:
        """The state now."""
        stamps = {top: self._stamps(top) for top in self._folder.tops()}
        return hashlib.sha256(repr(stamps).encode()).hexdigest()[:16]

    def wait(self, known: str, seconds: float) -> str:
        """The state, as soon as it is another than the known one; the known one at the end."""
        deadline = time.monotonic() + seconds
        while (state := self.state()) == known and time.monotonic() < deadline:
            time.sleep(_LOOK_EVERY)
        return state

    def _stamps(self, top: str) -> object:
        try:
            return self._folder.stamps([top])
        except TemplateError as error:
            return str(error)
