"""Findings as people and as programs read them."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from communication.encoding import to_json
from tidings.templates.findings import Finding, Severity

_WIDEST = 100


def as_text(findings: Sequence[Finding], templates: int, folder: Path) -> str:
    """One paragraph for each finding: where, what, the line itself, what to do.

    `templates`: how many were checked.
    """
    paragraphs = ["\n".join(_lines(one, folder)) for one in findings]
    return "\n\n".join([*paragraphs, _summary(findings, templates)])


def as_json(findings: Sequence[Finding], names: Sequence[str]) -> str:
    """One object: `templates`, `errors`, `warnings`, `findings`."""
    return to_json(
        {
            "templates": list(names),
            "errors": _count(findings, Severity.ERROR),
            "warnings": _count(findings, Severity.WARNING),
            "findings": [_as_dict(one) for one in findings],
        }
    ).decode()


def _as_dict(one: Finding) -> dict[str, object]:
    return {
        "template": one.template,
        "file": one.file,
        "line": one.line,
        "column": one.column,
        "severity": one.severity.value,
        "rule": one.rule,
        "message": one.message,
        "advice": one.advice,
        "case": one.case,
        "tenant": one.tenant,
    }


def _lines(one: Finding, folder: Path) -> Iterator[str]:
    yield f"{folder / one.place}: {one.severity}: {one.message} [{one.rule}]"
    yield from _excerpt(folder / one.file, one.line, one.column)
    if one.tenant:
        yield f"    So it is for the tenant {one.tenant}."
    if one.case:
        yield f"    Seen {one.case}."
    yield f"    {one.advice}"


def _excerpt(path: Path, line: int, column: int) -> Iterator[str]:
    """The line with a caret under the column; nothing for a finding of a whole file."""
    if (line, column) == (1, 1) or not path.is_file():
        return
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    if line > len(lines):
        return
    first = max(0, column - _WIDEST // 2)
    shown = lines[line - 1][first : first + _WIDEST].replace("\t", " ")
    yield f"    {shown}"
    yield f"    {'^':>{column - first}}"


def _summary(findings: Sequence[Finding], templates: int) -> str:
    checked = _plural(templates, "template")
    if not findings:
        return f"{checked} checked: all is well."
    errors = _plural(_count(findings, Severity.ERROR), "error")
    warnings = _plural(_count(findings, Severity.WARNING), "warning")
    return f"{checked} checked: {errors}, {warnings}."


def _count(findings: Sequence[Finding], severity: Severity) -> int:
    return sum(one.severity is severity for one in findings)


def _plural(count: int, word: str) -> str:
    return f"{count} {word}" + ("" if count == 1 else "s")
