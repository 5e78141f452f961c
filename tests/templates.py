"""Templates for tests, made of texts."""

from collections.abc import Mapping
from pathlib import Path

from communication.catalogue.catalogue import Snapshot
from communication.catalogue.composition import compose


def snapshot(files: Mapping[str, str], *, name: str = "hello") -> Snapshot:
    """The template of the given files; all are its own but those below `_…` and `other`."""
    texts = {
        path if path.startswith(("_", "other/")) else f"{name}/{path}": text
        for path, text in files.items()
    }
    return compose(name, texts, {}, default_locale="en")


def write(folder: Path, files: Mapping[str, str]) -> None:
    """Save files below a folder."""
    for path, text in files.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
