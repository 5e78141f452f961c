"""What a PATCH or PUT may say about a stored message (RFC 7396, docs/tmf681.md)."""

from collections.abc import Mapping
from typing import Any

from communication.clock import to_wire
from communication.model import Status
from communication.wire.fields import Fields
from communication.wire.message import SENDER_FIELDS
from communication.wire.representation import Head


def merge_patch(target: object, patch: object) -> Any:
    """The target with the patch applied (RFC 7396)."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_patch(merged.get(name), value)
    return merged


def patched(whole: Mapping[str, Any], patch: Fields) -> Fields:
    """A message's whole representation with a merge patch applied, by canonical names."""
    changes = dict(patch.values)
    if isinstance(changes.get("sender"), dict):
        changes["sender"] = patch.nested("sender", lambda one: Fields.of(one, SENDER_FIELDS).values)
    return patch.with_values(merge_patch(whole, changes))


def asks_to_cancel(given: Fields, head: Head, href: str) -> bool:
    """Whether the status Cancelled is written, after a check of what may only be repeated.

    InvalidField for an id, href, sendTimeComplete or status that is not the message's own.
    """
    complete = head.send_time_complete and to_wire(head.send_time_complete)
    for name, own in (("id", head.id), ("href", href)):
        if name in given.values and given.values[name] != own:
            raise given.invalid(name, f"can't be changed; it is {own!r}")
    if "sendTimeComplete" in given.values:
        moment = given.moment("sendTimeComplete")
        if (moment and to_wire(moment)) != complete:
            raise given.invalid("sendTimeComplete", "can't be changed; leave it out")
    status = given.values.get("status", head.status)
    if status not in (head.status, Status.CANCELLED):
        raise given.invalid("status", "can't be written but as 'Cancelled'; leave it out")
    return bool(status != head.status)
