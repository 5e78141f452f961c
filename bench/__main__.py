"""`python -m bench [SUITE …]`: measures side by side what docs/benchmarks.md describes.

Prints Markdown. The exit code is 1 when a bar is missed, but for a --quick run.
"""

import argparse
import sys
from collections import defaultdict
from collections.abc import Sequence
from importlib import import_module
from typing import cast

from bench.figure import Figure
from bench.report import Line, machine, table
from bench.stack import Stack
from bench.suite import FULL, QUICK, Measurement, Size, Suite

SUITES = {
    "spine": "bench.spine",
}
"""Name to module (bench.suite.Suite)."""


def main(arguments: Sequence[str]) -> int:
    """Measure, print the report, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("suites", nargs="*", default=["spine"], metavar="SUITE", help=_HELP)
    parser.add_argument("--quick", action="store_true", help="one small round; proves nothing")
    given = parser.parse_args(arguments)
    if unknown := [name for name in given.suites if name not in SUITES]:
        parser.error(f"no suite {', '.join(unknown)}; there are {', '.join(SUITES)}")
    size = QUICK if given.quick else FULL
    with Stack.started() as stack:
        print(machine(stack), flush=True)
        reached = [_measure(name, stack, size) for name in given.suites]
    return 0 if given.quick or all(reached) else 1


_HELP = f"one or more of {', '.join(SUITES)}; spine when none is given"


def _measure(name: str, stack: Stack, size: Size) -> bool:
    """Measure and report one suite; whether its bars are reached."""
    suite = cast("Suite", import_module(SUITES[name]))
    lines = _measured(suite.measurements(stack, size), size.rounds)
    bars = suite.bars(lines)
    print(
        f"\n{table(lines.values())}\n", *suite.conclusions(lines), "", *bars, sep="\n", flush=True
    )
    return all(bar.reached for bar in bars)


def _measured(wanted: dict[str, Measurement], rounds: int) -> dict[str, Line]:
    figures: dict[str, list[Figure]] = defaultdict(list)
    for number in range(rounds):
        for key, one in wanted.items():
            print(f"round {number + 1} of {rounds}: {one.name} …", file=sys.stderr, flush=True)
            figures[key].append(one.run())
    return {key: _line(one, figures[key]) for key, one in wanted.items()}


def _line(one: Measurement, figures: Sequence[Figure]) -> Line:
    notes = "; ".join(filter(None, (one.notes, figures[-1].notes)))
    rates = [figure.rate for figure in figures]
    return Line(name=one.name, unit=one.unit, figures=rates, notes=notes)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
