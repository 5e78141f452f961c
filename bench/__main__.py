"""`python -m bench [events|sms|email]`: measures Tidings and two task pipelines side by side.

Or what events cost, SMS through an SMSC, or email to an SMTP server beside django-post_office.

Prints Markdown (docs/benchmarks.md). The exit code is 1 when a bar is missed, but for a
--quick run.
"""

import argparse
import sys
from collections import defaultdict
from collections.abc import Sequence

from bench.figure import Figure
from bench.measurements import (
    FULL,
    QUICK,
    Measurement,
    event_measurements,
    mail_measurements,
    measurements,
    sms_measurements,
)
from bench.report import Bar, Line, machine, ratios, table
from bench.stack import Stack

LEAST_ACCEPTED = 1_200
LEAST_TIMES_CELERY = 5
LEAST_TEMPLATED = 0.6
LEAST_SEQUENCED = 0.9
LEAST_SLOW_SMS = 600
LEAST_TIMES_POST_OFFICE = 3
LEAST_BESIDE_DEAD = 0.9


def main(arguments: Sequence[str]) -> int:
    """Measure, print the report, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one small round; proves nothing")
    parser.add_argument("what", nargs="?", choices=tuple(_REPORTS), default="pipelines")
    options = parser.parse_args(arguments)
    size = QUICK if options.quick else FULL
    with Stack.started() as stack:
        print(machine(stack), flush=True)
        wanted, report = _REPORTS[options.what]
        bars = report(_measured(wanted(stack, size), size.rounds))
    print("", *bars, sep="\n")
    return 0 if options.quick or all(bar.reached for bar in bars) else 1


def _report_events(lines: dict[str, Line]) -> list[Bar]:
    print(f"\n{table(lines.values())}")
    share = lines["sequenced"].median / lines["unsequenced"].median
    name = "deliveries/s while nobody listens, share of those without positions for events"
    return [Bar(name=name, figure=share, least=LEAST_SEQUENCED)]


def _report_pipelines(lines: dict[str, Line]) -> list[Bar]:
    print(f"\n{table(lines.values())}\n")
    others = {lines[name].name: lines[name] for name in ("celery", "dramatiq", "idle")}
    print("Tidings with one worker delivers", ", ".join(ratios(lines["delivered"], others)) + ".")
    print("With two workers it delivers", ", ".join(ratios(lines["two"], others)) + ".")
    return _bars(lines)


def _report_sms(lines: dict[str, Line]) -> list[Bar]:
    print(f"\n{table(lines.values())}")
    slow = lines["slow"].median
    return [Bar(name="SMS/s where each takes 50 ms", figure=slow, least=LEAST_SLOW_SMS)]


def _report_mails(lines: dict[str, Line]) -> list[Bar]:
    print(f"\n{table(lines.values())}\n")
    others = {lines[name].name: lines[name] for name in ("as it comes", "tuned")}
    print("Tidings with one worker sends", ", ".join(ratios(lines["one"], others)) + ".")
    print("With two workers it sends", ", ".join(ratios(lines["two"], others)) + ".")
    times = lines["two"].median / lines["as it comes"].median
    name = "mails/s, two workers, times django-post_office's as it comes"
    share = lines["beside"].median / lines["alone"].median
    beside = "mails/s beside SMS due at a dead provider, share of those alone"
    return [
        Bar(name=name, figure=times, least=LEAST_TIMES_POST_OFFICE),
        Bar(name=beside, figure=share, least=LEAST_BESIDE_DEAD),
    ]


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


def _bars(lines: dict[str, Line]) -> list[Bar]:
    accepted, celery = lines["accepted"].median, lines["celery"].median
    return [
        Bar(name="accepted requests/s", figure=accepted, least=LEAST_ACCEPTED),
        Bar(
            name="deliveries/s, times the Celery pipeline's",
            figure=lines["delivered"].median / celery,
            least=LEAST_TIMES_CELERY,
        ),
        Bar(
            name="deliveries/s from a template, share of those with inline content",
            figure=lines["templated"].median / lines["delivered"].median,
            least=LEAST_TEMPLATED,
        ),
    ]


_REPORTS = {
    "pipelines": (measurements, _report_pipelines),
    "events": (event_measurements, _report_events),
    "sms": (sms_measurements, _report_sms),
    "email": (mail_measurements, _report_mails),
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
