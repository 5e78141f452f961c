"""Channels, priorities, lanes and the queues that they make (seed 004: Type, Priority)."""

from collections.abc import Iterator

CHANNELS = ("sms", "email", "push")

LANES: dict[str, tuple[int, ...]] = {
    "urgent": (0, 1),
    "normal": (2, 3, 4, 5, 6),
    "bulk": (7, 8, 9),
}
"""A small number is a high priority. Within a lane, work goes by (priority, due time)."""

DEFAULT_PRIORITY = 4

QUEUE_VERSION = "v1"
"""To be changed with the queues' arguments: RabbitMQ refuses (406) what differs from before."""

CALLBACK_QUEUE = f"callback.{QUEUE_VERSION}"
"""Hubs that have something to be told."""

FAN_OUT_QUEUE = f"fan_out.{QUEUE_VERSION}"
"""Calls for the one that tells hubs and pollers what happened."""


def lane_of(priority: int) -> str:
    """The lane that serves a priority of 0-9."""
    return next(lane for lane, priorities in LANES.items() if priority in priorities)


def queue_name(work: str, channel: str, lane: str) -> str:
    """The broker's queue for one kind of work, e.g. `deliver.email.urgent.v1`."""
    return f"{work}.{channel}.{lane}.{QUEUE_VERSION}"


def all_queues() -> list[str]:
    """Every queue there is."""
    return [*(queue for _, _, queue in deliver_queues()), FAN_OUT_QUEUE, CALLBACK_QUEUE]


def deliver_queues() -> Iterator[tuple[str, str, str]]:
    """Every (channel, lane, queue) that deliveries travel through."""
    for lane in LANES:
        for channel in CHANNELS:
            yield channel, lane, queue_name("deliver", channel, lane)
