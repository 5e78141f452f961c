"""Ask what is known against the dependencies. What is known fails; not being told does not.

    python .ci/audit.py ARGUMENTS OF pip-audit

0: nothing is known, or (which is said) nobody could be asked. 1: a weakness is known.
Anything else: pip-audit was called wrongly.
"""

import json
import subprocess
import sys
from typing import Any

PATIENCE = 180
"""Seconds for all questions together."""
TOLD, NOT_TOLD = 0, 1
"""Exit codes of pip-audit's that say nothing of what it was told: 1 is a failure, too."""


def main(arguments: list[str]) -> int:
    """The exit code."""
    command = (sys.executable, "-m", "pip_audit", "--format", "json", "--progress-spinner", "off")
    try:
        done = subprocess.run(  # noqa: S603  # what the Makefile says
            [*command, *arguments], capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        return _nobody_asked(f"there was no answer within {PATIENCE} s")
    if done.returncode not in (TOLD, NOT_TOLD):
        sys.stderr.write(done.stderr)
        return done.returncode
    try:
        dependencies = json.loads(done.stdout)["dependencies"]
    except ValueError:
        return _nobody_asked(done.stderr.strip().rpartition("\n")[2])
    return _judge(dependencies)


def _judge(dependencies: list[dict[str, Any]]) -> int:
    asked = [one for one in dependencies if "skip_reason" not in one]
    known = [(one, weakness) for one in asked for weakness in one["vulns"]]
    for one, weakness in known:
        mended = ", ".join(weakness["fix_versions"]) or "no version"
        print(f"{one['name']} {one['version']}: {weakness['id']}, mended in {mended}")
    if known:
        return 1
    if not asked:
        return _nobody_asked(f"none of {len(dependencies)} dependencies is known there")
    print(f"pip-audit: nothing is known against {len(asked)} of {len(dependencies)} dependencies")
    return 0


def _nobody_asked(why: str) -> int:
    print(f"pip-audit: NOT ASKED, {why}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
