"""`python -m bench [events|sms]`: measures Tidings and two task pipelines side by side.

Or what events cost, or SMS through an SMSC.

Prints Markdown (docs/benchmarks.md). The exit code is 1 when a bar is missed, but for a
--quick run.
"""

import argparse
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from bench import celery_pipeline, dramatiq_pipeline
from bench.accept import CONNECTIONS, measure_accepting
from bench.callbacks import measure_callbacks
from bench.deliver import measure_delivering
from bench.events import measure_feed, measure_idle_polls, measure_untold
from bench.feed import TEMPLATED
from bench.figure import Figure
from bench.pipelines import measure_celery, measure_dramatiq, measure_idle_dramatiq
from bench.polling import POLLERS, measure_bringing_back, measure_polling
from bench.report import Bar, Line, machine, ratios, table
from bench.smpp import WINDOW, measure_limit, measure_sms
from bench.stack import Stack

LEAST_ACCEPTED = 1_200
LEAST_TIMES_CELERY = 5
LEAST_TEMPLATED = 0.6
LEAST_SEQUENCED = 0.9
LEAST_SLOW_SMS = 600


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is measured: rounds of all measurements, in turn."""

    rounds: int
    seconds: float
    deliveries: int
    tasks: int
    idle: int
    events: int
    callbacks: int
    sms: int


FULL = Size(
    rounds=2,
    seconds=8,
    deliveries=30_000,
    tasks=4_000,
    idle=20_000,
    events=1_000_000,
    callbacks=20_000,
    sms=10_000,
)
QUICK = Size(
    rounds=1,
    seconds=1,
    deliveries=1_000,
    tasks=200,
    idle=1_000,
    events=10_000,
    callbacks=500,
    sms=1_000,
)


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """Something to be measured once in each round."""

    name: str
    unit: str
    run: Callable[[], Figure]
    notes: str = ""


def measurements(stack: Stack, size: Size) -> dict[str, Measurement]:
    """What is measured, in the order of a round."""
    accept = partial(measure_accepting, stack, seconds=size.seconds)
    deliver = partial(measure_delivering, stack, deliveries=size.deliveries)
    celery = partial(measure_celery, stack, deliveries=size.tasks)
    dramatiq = partial(measure_dramatiq, stack, deliveries=size.tasks)
    idle = partial(measure_idle_dramatiq, stack, messages=size.idle)
    count = f"{size.deliveries:,}"
    return {
        "accepted": Measurement(
            name=f"accepted, {CONNECTIONS} connections",
            unit="requests/s",
            run=partial(accept, working=False),
        ),
        "delivered": Measurement(
            name=f"delivered, {count} messages, one worker",
            unit="deliveries/s",
            run=partial(deliver, workers=1, each=1),
        ),
        "templated": Measurement(
            name=f"delivered, {count} messages from a template, one worker",
            unit="deliveries/s",
            run=partial(deliver, workers=1, each=1, document=TEMPLATED),
        ),
        "celery": Measurement(
            name="Celery pipeline",
            unit="deliveries/s",
            run=celery,
            notes=f"{size.tasks:,} messages; {celery_pipeline.SETTINGS}",
        ),
        "two": Measurement(
            name=f"delivered, {count} messages, two workers",
            unit="deliveries/s",
            run=partial(deliver, workers=2, each=1),
        ),
        "dramatiq": Measurement(
            name="Dramatiq pipeline, a task per message",
            unit="deliveries/s",
            run=dramatiq,
            notes=f"{size.tasks:,} messages; {dramatiq_pipeline.SETTINGS}",
        ),
        "one message": Measurement(
            name=f"delivered, one message to {count} receivers, one worker",
            unit="deliveries/s",
            run=partial(deliver, workers=1, each=size.deliveries),
        ),
        "idle": Measurement(
            name="Dramatiq, an actor that does nothing",
            unit="messages/s",
            run=idle,
            notes=f"{size.idle:,} messages, the same settings",
        ),
        "busy": Measurement(
            name="accepted, while relay and worker deliver",
            unit="requests/s",
            run=partial(accept, working=True),
        ),
    }


def event_measurements(stack: Stack, size: Size) -> dict[str, Measurement]:
    """What events cost, in the order of a round."""
    deliver = partial(measure_untold, stack, deliveries=size.deliveries)
    waiting = f"{size.events // 50:,}"
    delivered = f"delivered, {size.deliveries:,} messages, nobody listens"
    return {
        "feed": Measurement(
            name=f"order-event feed of {size.events:,} events, read whole",
            unit="events/s",
            run=partial(measure_feed, stack, events=size.events),
        ),
        "polls": Measurement(
            name="idle polls of that feed, one after the other",
            unit="polls/s",
            run=partial(measure_idle_polls, stack, events=size.events, polls=size.events // 1_000),
        ),
        "polled": Measurement(
            name=f"{waiting} waiting notifications, handed out to {POLLERS} pollers at once",
            unit="notifications/s",
            run=partial(measure_polling, stack, notifications=size.events // 50),
        ),
        "brought back": Measurement(
            name=f"{waiting} waiting notifications, brought back to an emptied Redis",
            unit="notifications/s",
            run=partial(measure_bringing_back, stack, notifications=size.events // 50),
        ),
        "unsequenced": Measurement(
            name=f"{delivered}, events without positions",
            unit="deliveries/s",
            run=partial(deliver, sequencing=False),
        ),
        "sequenced": Measurement(
            name=delivered, unit="deliveries/s", run=partial(deliver, sequencing=True)
        ),
        **{f"hubs {hubs}": _told(stack, size.callbacks, hubs) for hubs in (1, 50)},
    }


def _told(stack: Stack, callbacks: int, hubs: int) -> Measurement:
    return Measurement(
        name=f"{callbacks:,} callbacks to nginx, {hubs} {'hub' if hubs == 1 else 'hubs'}",
        unit="callbacks/s",
        run=partial(measure_callbacks, stack, callbacks=callbacks, hubs=hubs),
    )


def sms_measurements(stack: Stack, size: Size) -> dict[str, Measurement]:
    """SMS through an SMSC, beside what that SMSC takes from a client that does nothing else."""
    sms = partial(measure_sms, stack, deliveries=size.sms)
    delivered = f"delivered by SMPP, {size.sms:,} messages, one worker"
    return {
        "limit": Measurement(
            name="the SMSC alone",
            unit="submits/s",
            run=partial(measure_limit, submits=size.sms),
            notes=f"prepared PDUs over one session, {WINDOW} outstanding",
        ),
        "sent": Measurement(
            name=f"{delivered}, without receipts",
            unit="deliveries/s",
            run=partial(sms, receipts=False),
        ),
        "received": Measurement(
            name=f"{delivered}, ended by receipts",
            unit="deliveries/s",
            run=partial(sms, receipts=True),
        ),
        "slow": Measurement(
            name=f"{delivered}, answered after 50 ms",
            unit="deliveries/s",
            run=partial(sms, receipts=False, latency=50),
        ),
    }


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
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
