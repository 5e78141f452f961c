"""An event that a listener can be tried with: it looks like one, and nothing happened."""

from datetime import datetime
from typing import Any

from communication.clock import to_wire
from communication.events.told import CREATION
from communication.ids import new_id
from communication.wire.representation import message_href

MESSAGE_ID = "example"


def example_event(public_url: str, moment: datetime) -> dict[str, Any]:
    """A creation, as seed 004 has it."""
    message = {
        "id": MESSAGE_ID,
        "href": message_href(public_url, MESSAGE_ID),
        "type": "SMS",
        "status": "Initial",
        "priority": 4,
        "content": "An example. No such message was created.",
        "receiver": [{"phoneNumber": "+46701740605"}],
    }
    return {
        "eventType": CREATION,
        "eventTime": to_wire(moment),
        "eventId": new_id(),
        "event": {"CommunicationMessage": [message]},
    }
