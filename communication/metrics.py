"""What is counted, for Prometheus. Counted where it happens, after the commit.

What belongs to a tenant is counted by tenant; an empty one means that it is not known whose it is.
"""

from collections import Counter as Tally
from collections.abc import Iterable

from prometheus_client import Counter, Gauge

from communication.model import State

_OF_DELIVERIES = ("tenant", "channel", "lane")

ACCEPTED = Counter("tidings_messages_accepted", "Messages stored, sent or not.", _OF_DELIVERIES)
DELIVERED = Counter(
    "tidings_deliveries_delivered", "Deliveries that a provider took.", _OF_DELIVERIES
)
FAILED = Counter("tidings_deliveries_failed", "Deliveries that were given up.", _OF_DELIVERIES)
CANCELLED = Counter(
    "tidings_deliveries_cancelled", "Deliveries cancelled after a failed try.", _OF_DELIVERIES
)
RETRIED = Counter(
    "tidings_deliveries_retried", "Failed tries that will be tried again.", _OF_DELIVERIES
)
SENT = Counter(
    "tidings_deliveries_sent",
    "Deliveries that a provider took and will send a receipt of.",
    _OF_DELIVERIES,
)
RECEIPTS = Counter(
    "tidings_receipts",
    "Providers' receipts: applied, early, duplicate, contradicting, intermediate, unknown.",
    ("tenant", "outcome"),
)
PUT_OFF = Counter(
    "tidings_deliveries_put_off",
    "Times that a delivery was put off because no provider was to be asked.",
    ("tenant",),
)
PROVIDER_CALLS = Counter(
    "tidings_provider_calls",
    "Messages handed to a provider: accepted, refused (the receiver), throttled, failed.",
    ("channel", "provider", "outcome"),
)
PROVIDER_RESTING = Gauge(
    "tidings_provider_resting",
    "1 while a provider is left alone after failures.",
    ("channel", "provider"),
    multiprocess_mode="mostrecent",
)
PROVIDER_PACE = Gauge(
    "tidings_provider_pace",
    "Calls a second that a process keeps to because the provider wants fewer; 0: no such limit.",
    ("channel", "provider"),
    multiprocess_mode="mostrecent",
)
PUBLISH_FAILED = Counter(
    "tidings_relay_publish_failed", "Times that the broker could not be reached.", ()
)
REFUSED = Counter(
    "tidings_requests_refused",
    "Requests refused for the service's own sake: slow, size, crowd, rate, backlog.",
    ("tenant", "why"),
)
UNCOUNTED = Counter(
    "tidings_requests_uncounted", "Requests let through because Redis could not count them.", ()
)
TEMPLATE_FAULTS = Counter(
    "tidings_template_faults",
    "Edits that broke a template, as each process met them.",
    ("tenant", "template"),
)
RENDERS_FAILED = Counter(
    "tidings_renders_failed",
    "Deliveries that no message could be made for.",
    ("tenant", "template"),
)

CALLBACKS = Counter(
    "tidings_callbacks",
    "Tries at telling a hub: delivered, retry, failed or gone.",
    ("tenant", "outcome"),
)
POLLED = Counter(
    "tidings_notifications_polled", "Notifications handed out to pollers.", ("tenant",)
)
POLL_QUEUES_FAILED = Counter(
    "tidings_poll_queues_failed", "Times that Redis could not be reached to queue for pollers.", ()
)
FORWARDED = Counter(
    "tidings_faults_forwarded",
    "Own faults sent to another Event Collector.",
    ("tenant", "outcome"),
)
SEQUENCED = Counter("tidings_events_sequenced", "Events that were given their position.", ())
TOLD = Counter("tidings_events_told", "Events that some hub or subscription wanted.", ("tenant",))

TRIES = {
    State.SENT: SENT,
    State.DELIVERED: DELIVERED,
    State.FAILED: FAILED,
    State.CANCELLED: CANCELLED,
    State.PENDING: RETRIED,
}
"""What is counted for each state in which a try can leave a delivery."""


def count(happened: Iterable[tuple[Counter, tuple[str, ...]]]) -> None:
    """Count each counter with the labels beside it; what is alike is added up first."""
    for (counter, labels), number in Tally(happened).items():
        counter.labels(*labels).inc(number)
