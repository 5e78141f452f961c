"""`make bench` still measures what docs/benchmarks.md says."""

import sys

from tests.processes import Process, new_folder
from tests.running import REPOSITORY, environment

_WITHIN = 900.0


def test_a_quick_measurement_reports_every_figure_and_every_bar() -> None:
    report = measured("--quick")

    rows = [line for line in report.splitlines() if line.count("|") > 3]
    assert sum("accepted" in row for row in rows) == 2
    assert sum("delivered" in row for row in rows) == 4
    assert any("Celery pipeline" in row for row in rows)
    assert sum("Dramatiq" in row for row in rows) == 2
    assert report.count("**PASS**") + report.count("**FAIL**") == 3


def measured(*arguments: str) -> str:
    folder = new_folder()
    measuring = Process(
        [sys.executable, "-m", "bench", *arguments],
        log=folder / "log",
        env=environment(folder),
        cwd=REPOSITORY,
    )
    assert measuring.wait(_WITHIN) == 0, measuring.log_tail()
    return measuring.log_tail(lines=30)
