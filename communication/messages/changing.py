"""Changes to a stored message: PATCH, PUT and DELETE of TMF681 v1 (docs/tmf681.md)."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, update

from communication.clock import to_wire
from communication.encoding import canonical_json
from communication.errors import Conflict
from communication.events.happening import Happening, Kind, record
from communication.messages.rows import Stored, insert_deliveries, insert_receivers
from communication.messages.sending import (
    cancel,
    drop_deliveries,
    is_scheduled,
    reschedule,
    save,
    sending_state,
    tell_changed,
)
from communication.model import DOCUMENT, RECEIVER, Status
from communication.wire.message import Draft
from communication.wire.receiver import Addressee
from communication.wire.representation import Head, represent_receiver

EVENT_RECEIVERS = 100
"""Most receivers that an event carries; of more it says how many there are."""

_SAVE_DOCUMENT = update(DOCUMENT).where(DOCUMENT.c.message_key == bindparam("of_message"))
_FORGET = delete(RECEIVER).where(RECEIVER.c.message_key == bindparam("of_message"))
_REMOVE = (
    update(RECEIVER)
    .where(RECEIVER.c.message_key == bindparam("of_message"), RECEIVER.c.removed_at.is_(None))
    .values(removed_at=bindparam("now"))
)


def change(
    connection: Connection, stored: Stored, draft: Draft, *, cancelling: bool, now: datetime
) -> Stored:
    """Make a locked message what the draft says, and cancel what is undelivered if asked to.

    A scheduled send that nobody has touched yet follows. Conflict while it is being sent.
    """
    head = stored.head
    if cancelling and head.status in (Status.COMPLETED, Status.FAILED):
        raise Conflict(f"the message is {head.status}: there is nothing left to cancel")
    before = sending_state(head)
    changed = _differences(stored, draft)
    if changed:
        _apply(connection, head, draft, changed.keys(), now)
    if cancelling:
        cancel(connection, head, now)
    if changed or sending_state(head) != before:
        save(connection, head, now)
        tell_changed(connection, head, changed, now)
    return Stored(head=head, document=draft.document, receivers=draft.receivers)


def remove(connection: Connection, head: Head, now: datetime) -> None:
    """Delete a locked message: a tombstone stays for its events, its id is free again."""
    cancel(connection, head, now)
    head.deleted_at = now
    save(connection, head, now)
    deleted = Happening(kind=Kind.DELETED, tenant=head.tenant, at=now, message_key=head.key)
    record(connection, [deleted])


def _differences(stored: Stored, draft: Draft) -> dict[str, Any]:
    """New values of the attributes that the draft changes; None where it drops one."""
    old, new = stored.document, draft.document
    changed = {
        name: new.get(name)
        for name in old.keys() | new.keys()
        if (name in old) != (name in new) or canonical_json(old[name]) != canonical_json(new[name])
    }
    if stored.head.send_time != draft.send_time:
        changed["sendTime"] = draft.send_time and to_wire(draft.send_time)
    receivers = _wire(draft.receivers)
    if canonical_json(_wire(stored.receivers)) != canonical_json(receivers):
        few = len(receivers) <= EVENT_RECEIVERS
        changed |= {"receiver": receivers} if few else {"receiverCount": len(receivers)}
    return changed


def _wire(receivers: list[Addressee]) -> list[dict[str, Any]]:
    return [represent_receiver(one) for one in receivers]


def _apply(
    connection: Connection, head: Head, draft: Draft, changed: Collection[str], now: datetime
) -> None:
    scheduled = is_scheduled(connection, head, now)
    if head.open_count and not scheduled:
        raise Conflict("the message is being sent; wait until that is over, or cancel it")
    head.channel, head.priority, head.send_time = draft.channel, draft.priority, draft.send_time
    connection.execute(_SAVE_DOCUMENT, {"of_message": head.key, "document": draft.document})
    if "receiver" in changed or "receiverCount" in changed:
        _replace_receivers(connection, head, draft.receivers, scheduled=scheduled, now=now)
    elif scheduled:
        reschedule(connection, head, now)
    if scheduled and (head.send_time is None or head.send_time <= now):
        head.status = Status.IN_PROGRESS


def _replace_receivers(
    connection: Connection,
    head: Head,
    receivers: list[Addressee],
    *,
    scheduled: bool,
    now: datetime,
) -> None:
    """New receivers; the old ones are kept, out of sight, where deliveries tell of them."""
    if scheduled:
        drop_deliveries(connection, head)
    never_sent = head.send == int(scheduled)
    if never_sent:
        connection.execute(_FORGET, {"of_message": head.key})
    else:
        connection.execute(_REMOVE, {"of_message": head.key, "now": now})
    head.receiver_count = len(receivers)
    insert_receivers(connection, head, receivers)
    if scheduled:
        head.open_count = head.receiver_count
        insert_deliveries(connection, head, now=now)
