"""What the check says: where, what is wrong, and what to do about it."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """Whether customers would notice."""

    ERROR = "error"
    """Customers would get nothing, or something broken."""
    WARNING = "warning"
    """Worth mending; it does not stop anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One fault. `line` and `column` count from 1; a fault of a whole file or folder has 1 and 1.

    `rule` is its kind, in a word that stays the same from version to version.
    """

    template: str
    file: str
    """From the templates folder, with /."""
    line: int = 1
    column: int = 1
    rule: str
    severity: Severity = Severity.ERROR
    message: str
    advice: str
    case: str = ""
    """With which language and values it shows, if not with all."""
    tenant: str = ""
    """Whose view of the templates it shows in, if not in all."""

    @property
    def place(self) -> str:
        """As editors and terminals make it a link."""
        return f"{self.file}:{self.line}:{self.column}"


def distinct(findings: Iterable[Finding]) -> list[Finding]:
    """Each fault once, with the first case that shows it, in the order of the files.

    A fault of a shared layout is one fault, however many templates use the layout.
    """
    kept: dict[tuple[str, int, int, str, str], Finding] = {}
    for one in findings:
        kept.setdefault((one.file, one.line, one.column, one.rule, one.message), one)
    return sorted(kept.values(), key=lambda one: (one.template, one.file, one.line, one.column))
