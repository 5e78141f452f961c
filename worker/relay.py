"""The relay: claims due work, commits, and only then tells the workers about it.

Any number of relays may run. Each keeps at most a window of messages in each of the
broker's queues: the backlog waits in the database, ordered, so that an urgent message never
stands behind a hundred thousand others. It is the scheduler too: retries and sendTimes are
just work that is due later.
"""

from collections.abc import Sequence
from datetime import timedelta

import structlog
from sqlalchemy import Connection, delete, select

from communication import due
from communication.bulk import among
from communication.clock import now
from communication.due import Claimed
from communication.errors import BrokerUnavailable
from communication.ids import new_id
from communication.lanes import CHANNELS, LANES, queue_name
from communication.model import DELIVERY, IDEMPOTENCY, State
from communication.receipts.parts import forget_parts
from communication.receipts.receipt_endings import count_strays
from communication.receipts.recording import end_unanswered, forget_early
from communication.settings import Settings
from communication.store import Store
from worker.broker import Queues
from worker.outcomes import Outcome, settle
from worker.stepping import Stepping

LOST_MOST = 3
"""A message that took this many workers with it is failed, not tried for ever."""
TIDY_EVERY = timedelta(minutes=1)
UNANSWERED_EVERY = timedelta(seconds=1)

log = structlog.get_logger(part="worker.relay")


class Relay(Stepping):
    """One relay."""

    name = "relay"

    def __init__(self, store: Store, settings: Settings, queues: Queues) -> None:
        super().__init__(queues, rest=settings.poll)
        self._store = store
        self._settings = settings
        self._lease = timedelta(seconds=settings.lease)
        self._tidied_at = now() - TIDY_EVERY
        self._unanswered_at = now() - UNANSWERED_EVERY

    def turn(self) -> bool:
        """A step; before it, from time to time, what else is to be done."""
        self.tidy()
        self.end_unanswered()
        return self.step()

    def step(self) -> bool:
        """Hand over what is due and has room, in order of lanes; whether there was anything."""
        with self._store.read() as connection:
            waiting = due.waiting(connection, DELIVERY, CHANNELS, now=now())
        relayed = [
            self._fill(channel, lane, [one for one in priorities if (channel, one) in waiting])
            for lane, priorities in LANES.items()
            for channel in CHANNELS
        ]
        return any(relayed)

    def _fill(self, channel: str, lane: str, priorities: Sequence[int]) -> bool:
        if not priorities:
            return False
        queue = queue_name("deliver", channel, lane)
        room = self._settings.window - self._queues.depth(queue)
        if room <= 0:
            return False
        lease = new_id()
        with self._store.write() as connection:
            claimed = self._claim(connection, channel, priorities, room, lease)
        self._publish(queue, channel, claimed, lease)
        return bool(claimed)

    def _claim(
        self,
        connection: Connection,
        channel: str,
        priorities: Sequence[int],
        room: int,
        lease: str,
    ) -> list[Claimed]:
        moment = now()
        claimed = due.claim(
            connection,
            DELIVERY,
            channel=channel,
            priorities=priorities,
            limit=room * self._settings.batch,
            lease=lease,
            now=moment,
            until=moment + self._lease,
        )
        deadly = [one.key for one in claimed if one.lost >= LOST_MOST]
        if deadly:
            _fail_deadly(connection, deadly, lease)
        return [one for one in claimed if one.lost < LOST_MOST]

    def _publish(self, queue: str, channel: str, claimed: Sequence[Claimed], lease: str) -> None:
        batches = _batches(claimed, self._settings.batch)
        for number, batch in enumerate(batches):
            try:
                self._queues.publish(
                    queue,
                    "deliver",
                    channel=channel,
                    keys=[one.key for one in batch],
                    lease=lease,
                    alone=batch[0].lost >= LOST_MOST - 1,
                )
            except BrokerUnavailable:
                unpublished = [one.key for rest in batches[number:] for one in rest]
                with self._store.write() as connection:
                    due.release(connection, DELIVERY, unpublished, lease=lease, now=now())
                raise

    def tidy(self) -> None:
        """Forget what is old; once in TIDY_EVERY."""
        moment = now()
        if moment - self._tidied_at < TIDY_EVERY:
            return
        self._tidied_at = moment
        oldest = moment - timedelta(seconds=self._settings.idempotency_ttl)
        with self._store.write() as connection:
            connection.execute(delete(IDEMPOTENCY).where(IDEMPOTENCY.c.created_at < oldest))
            unclaimed = forget_early(connection, moment)
            forget_parts(connection, moment)
        count_strays("unknown", unclaimed)

    def end_unanswered(self) -> None:
        """End what waited in vain for its provider's receipt; looks once in UNANSWERED_EVERY.

        A batch of it at a time, so that what is due is not kept waiting.
        """
        moment = now()
        if moment - self._unanswered_at >= UNANSWERED_EVERY and not end_unanswered(self._store):
            self._unanswered_at = moment


def _batches(claimed: Sequence[Claimed], size: int) -> list[Sequence[Claimed]]:
    """Batches. What a worker vanished with is one by itself, so that only it is suspected."""
    together = [one for one in claimed if not one.lost]
    apart = [[one] for one in claimed if one.lost]
    return [*(together[at : at + size] for at in range(0, len(together), size)), *apart]


def _fail_deadly(connection: Connection, keys: Sequence[int], lease: str) -> None:
    moment = now()
    rows = connection.execute(
        select(DELIVERY.c.key, DELIVERY.c.message_key, DELIVERY.c.attempts).where(
            among(connection, DELIVERY.c.key, keys)
        )
    )
    outcomes = [
        Outcome(
            delivery_key=row.key,
            message_key=row.message_key,
            attempts=row.attempts,
            state=State.FAILED,
            at=moment,
            reason=f"the worker vanished {LOST_MOST} times while sending it",
        )
        for row in rows
    ]
    for one in settle(connection, outcomes, lease=lease, now=moment):
        log.error("delivery failed: its workers vanish", delivery_key=one.delivery_key)
