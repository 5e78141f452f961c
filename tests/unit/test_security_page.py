"""SECURITY.md names tests that are there."""

import re
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]


def test_every_promise_names_a_test_that_is_there() -> None:
    text = (REPOSITORY / "SECURITY.md").read_text()
    promises = text.partition("## What is promised")[2].partition("## What is not")[0]
    rows = [row for row in promises.splitlines() if row.startswith("| ")][2:]
    for row in rows:
        named = re.findall(r"`((?:tests/)?[\w/]*(?:test_\w+\.py|templates)|make \w+)`", row)
        assert named, row
        for one in named:
            is_there = one.startswith("make ") or any(REPOSITORY.glob(f"**/{one}"))
            assert is_there, one
