"""Names that are given as settings and are none: what they say would be passed by in silence."""

import os
from collections.abc import Collection, Iterator
from difflib import get_close_matches
from pathlib import Path

PREFIX = "TIDINGS_"
SECRETS_DIR = f"{PREFIX}SECRETS_DIR"
_OTHERS = {SECRETS_DIR, *(f"{PREFIX}{one}" for one in ("TOKEN", "CLIENT_ID", "CHANNEL"))}
_OTHERS_BEGIN = (f"{PREFIX}CHANNEL_", f"{PREFIX}TEST_")
"""What examples, the channels' tests and our own are told."""
_ALIKE = 0.85
"""Of difflib: from which on it can only be a misspelling. What is less alike may be somebody
else's: Kubernetes tells each process of a service `tidings` by `TIDINGS_PORT` and the like."""


def unknown(known: Collection[str]) -> Iterator[str]:
    """Names in the environment, and of files of TIDINGS_SECRETS_DIR, that no setting has."""
    settings = {f"{PREFIX}{name.upper()}" for name in known}
    for name in sorted(_given()):
        is_other = name in _OTHERS or name.startswith(_OTHERS_BEGIN)
        if name.startswith(PREFIX) and name not in settings and not is_other:
            yield name


def misspelt(known: Collection[str]) -> list[str]:
    """What is wrong with those that must be meant for a setting."""
    nearest = [(name, _nearest(name, known)) for name in unknown(known)]
    return [
        f"{name}: there is no such setting; is {PREFIX}{near} meant?"
        for name, near in nearest
        if near
    ]


def _nearest(name: str, known: Collection[str]) -> str:
    candidates = [one.upper() for one in known]
    return next(iter(get_close_matches(name.removeprefix(PREFIX), candidates, 1, _ALIKE)), "")


def _given() -> set[str]:
    """In capitals, as it does not matter."""
    folder = Path(os.environ.get(SECRETS_DIR) or os.devnull)
    files = folder.iterdir() if folder.is_dir() else ()
    return {name.upper() for name in (*os.environ, *(file.name for file in files))}
