"""The whole way of a message: accepted, delivered, and two task pipelines beside it."""

from collections.abc import Mapping
from functools import partial

from bench import celery_pipeline, dramatiq_pipeline
from bench.accept import CONNECTIONS, measure_accepting
from bench.deliver import measure_delivering
from bench.feed import TEMPLATED
from bench.pipelines import measure_celery, measure_dramatiq, measure_idle_dramatiq
from bench.report import Bar, Line, ratios
from bench.stack import Stack
from bench.suite import Measurement, Size

LEAST_ACCEPTED = 1_200
LEAST_TIMES_CELERY = 5
LEAST_TEMPLATED = 0.6
_ORDER = (
    *("accepted", "delivered", "templated", "celery", "two"),
    *("dramatiq", "many", "idle", "busy"),
)


def measurements(stack: Stack, size: Size) -> dict[str, Measurement]:
    """In an order in which the machine's moods fall on neighbours that are compared."""
    named = _accepting(stack, size) | _delivering(stack, size) | _pipelines(stack, size)
    return {name: named[name] for name in _ORDER}


def _accepting(stack: Stack, size: Size) -> dict[str, Measurement]:
    accept = partial(measure_accepting, stack, seconds=size.seconds)
    return {
        "accepted": Measurement(
            name=f"accepted, {CONNECTIONS} connections",
            unit="requests/s",
            run=partial(accept, working=False),
        ),
        "busy": Measurement(
            name="accepted, while relay and worker deliver",
            unit="requests/s",
            run=partial(accept, working=True),
        ),
    }


def _delivering(stack: Stack, size: Size) -> dict[str, Measurement]:
    deliver = partial(measure_delivering, stack, deliveries=size.deliveries)
    count = f"{size.deliveries:,}"
    runs = {
        "delivered": (f"{count} messages, one worker", partial(deliver, workers=1, each=1)),
        "templated": (
            f"{count} messages from a template, one worker",
            partial(deliver, workers=1, each=1, document=TEMPLATED),
        ),
        "two": (f"{count} messages, two workers", partial(deliver, workers=2, each=1)),
        "many": (
            f"one message to {count} receivers, one worker",
            partial(deliver, workers=1, each=size.deliveries),
        ),
    }
    return {
        key: Measurement(name=f"delivered, {name}", unit="deliveries/s", run=run)
        for key, (name, run) in runs.items()
    }


def _pipelines(stack: Stack, size: Size) -> dict[str, Measurement]:
    return {
        "celery": Measurement(
            name="Celery pipeline",
            unit="deliveries/s",
            run=partial(measure_celery, stack, deliveries=size.tasks),
            notes=f"{size.tasks:,} messages; {celery_pipeline.SETTINGS}",
        ),
        "dramatiq": Measurement(
            name="Dramatiq pipeline, a task per message",
            unit="deliveries/s",
            run=partial(measure_dramatiq, stack, deliveries=size.tasks),
            notes=f"{size.tasks:,} messages; {dramatiq_pipeline.SETTINGS}",
        ),
        "idle": Measurement(
            name="Dramatiq, an actor that does nothing",
            unit="messages/s",
            run=partial(measure_idle_dramatiq, stack, messages=size.idle),
            notes=f"{size.idle:,} messages, the same settings",
        ),
    }


def conclusions(lines: Mapping[str, Line]) -> list[str]:
    """How many times faster Tidings is than the others."""
    others = {lines[name].name: lines[name] for name in ("celery", "dramatiq", "idle")}
    return [
        f"Tidings with one worker delivers {', '.join(ratios(lines['delivered'], others))}.",
        f"With two workers it delivers {', '.join(ratios(lines['two'], others))}.",
    ]


def bars(lines: Mapping[str, Line]) -> list[Bar]:
    """What the figures have to reach."""
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
