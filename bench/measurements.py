"""What is measured, in the order of a round."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from bench import celery_pipeline, dramatiq_pipeline
from bench.accept import CONNECTIONS, measure_accepting
from bench.callbacks import measure_callbacks
from bench.dead_provider import measure_beside_dead
from bench.deliver import measure_delivering
from bench.events import measure_feed, measure_idle_polls, measure_untold
from bench.feed import TEMPLATED
from bench.figure import Figure
from bench.mails import measure_mails, measure_post_office
from bench.pipelines import measure_celery, measure_dramatiq, measure_idle_dramatiq
from bench.polling import POLLERS, measure_bringing_back, measure_polling
from bench.post_office import AS_IT_COMES, TUNED
from bench.smpp import WINDOW, measure_limit, measure_sms
from bench.stack import Stack


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
    mails: int
    dead: int


FULL = Size(
    rounds=2,
    seconds=8,
    deliveries=30_000,
    tasks=4_000,
    idle=20_000,
    events=1_000_000,
    callbacks=20_000,
    sms=10_000,
    mails=10_000,
    dead=20_000,
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
    mails=500,
    dead=1_000,
)


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """Something to be measured once in each round."""

    name: str
    unit: str
    run: Callable[[], Figure]
    notes: str = ""


def measurements(stack: Stack, size: Size) -> dict[str, Measurement]:
    """What is measured; neighbours in a round are those that are compared."""
    named = _accepting(stack, size) | _delivering(stack, size) | _pipelines(stack, size)
    return {name: named[name] for name in _ORDER}


_ORDER = (
    *("accepted", "delivered", "templated", "celery", "two"),
    *("dramatiq", "one message", "idle", "busy"),
)


def _accepting(stack: Stack, size: Size) -> dict[str, Measurement]:
    runs = {
        "accepted": (f"accepted, {CONNECTIONS} connections", False),
        "busy": ("accepted, while relay and worker deliver", True),
    }
    return {
        key: Measurement(
            name=name,
            unit="requests/s",
            run=partial(measure_accepting, stack, seconds=size.seconds, working=working),
        )
        for key, (name, working) in runs.items()
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
        "one message": (
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


def mail_measurements(stack: Stack, size: Size) -> dict[str, Measurement]:
    """Email to a server that only counts, by Tidings and by django-post_office."""
    mails = partial(measure_mails, stack, mails=size.mails)
    queued = partial(measure_post_office, stack, mails=size.mails)
    beside = partial(measure_beside_dead, stack, mails=size.mails, sms=size.dead)
    sent = f"sent by SMTP, {size.mails:,} mails"
    tomorrow, dead = f"{size.dead:,} SMS due tomorrow", f"{size.dead:,} SMS due at a dead provider"
    runs = {
        "one": ("one worker", partial(mails, workers=1)),
        "as it comes": ("django-post_office as it comes", partial(queued, setup=AS_IT_COMES)),
        "two": ("two workers", partial(mails, workers=2)),
        "tuned": ("django-post_office tuned", partial(queued, setup=TUNED)),
        "alone": (f"one worker, {tomorrow}", partial(beside, due=False)),
        "beside": (f"one worker, {dead}", partial(beside, due=True)),
    }
    notes = {"as it comes": str(AS_IT_COMES), "tuned": str(TUNED)}
    return {
        key: Measurement(name=f"{sent}, {name}", unit="mails/s", run=run, notes=notes.get(key, ""))
        for key, (name, run) in runs.items()
    }
