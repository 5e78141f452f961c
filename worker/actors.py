"""Dramatiq's actors: thin, over plain functions."""

from collections.abc import Callable, Mapping

from dramatiq import Actor, Broker

from communication.lanes import CALLBACK_QUEUE, FAN_OUT_QUEUE, queue_name
from worker.batch import BatchRunner
from worker.fan_out import FanOut
from worker.hubs.runner import HubRunner


def register_actors(
    broker: Broker, runners: Mapping[str, BatchRunner], teller: FanOut, hubs: HubRunner
) -> None:
    """Make the broker's workers deliver through `runners`, by channel, and tell of events."""

    def deliver(*, channel: str, keys: list[int], lease: str, alone: bool = False) -> None:
        """A batch of deliveries of one channel, leased by the relay under `lease`."""
        runners[channel].run(keys, lease, alone=alone)

    def fan_out() -> None:
        """Hand what happened to hubs and pollers; sent by the relay when something has."""
        teller.run()

    def callback(*, hub: int, lease: str, failing: bool) -> None:
        """A hub with something due, leased by the relay under `lease`."""
        hubs.begin(hub, lease, failing=failing)

    _register(broker, deliver, queue_name("deliver", "email", "normal"))
    _register(broker, fan_out, FAN_OUT_QUEUE)
    _register(broker, callback, CALLBACK_QUEUE)


def _register(broker: Broker, function: Callable[..., None], queue: str) -> None:
    Actor(
        function,
        broker=broker,
        actor_name=function.__name__,
        queue_name=queue,
        priority=0,
        options={},
    )
