"""Dramatiq's actors: thin, over plain functions."""

from collections.abc import Mapping

from dramatiq import Actor, Broker

from communication.lanes import queue_name
from worker.batch import BatchRunner


def register_actors(broker: Broker, runners: Mapping[str, BatchRunner]) -> None:
    """Make the broker's workers deliver through `runners`, by channel."""

    def deliver(*, channel: str, keys: list[int], lease: str, alone: bool = False) -> None:
        """A batch of deliveries of one channel, leased by the relay under `lease`."""
        runners[channel].run(keys, lease, alone=alone)

    Actor(
        deliver,
        broker=broker,
        actor_name="deliver",
        queue_name=queue_name("deliver", "email", "normal"),
        priority=0,
        options={},
    )
