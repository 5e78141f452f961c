"""Bodies of messages, read as the API reads them."""

from typing import Any

import pytest

from communication.catalogue.composition import compose
from communication.catalogue.snapshot import Snapshot
from communication.errors import RequestError
from communication.wire.fields import Fields
from communication.wire.message import MESSAGE_FIELDS, Draft, Rules, read_message


class Welcome:
    """Templates, of which there is one."""

    def snapshot(self, name: str, tenant: str) -> Snapshot:
        texts = {"welcome/email.html": "<p>Hello</p>", "welcome/email.subject.txt": "Hello"}
        return compose(
            name, texts if (name, tenant) == ("welcome", "default") else {}, {}, default_locale="en"
        )


RULES = Rules(max_receivers=3, try_times=7, templates=Welcome())
EMAIL: dict[str, Any] = {
    "type": "Email",
    "subject": "Hello",
    "content": "Dear customer",
    "receiver": [{"email": "ada@example.com"}],
}
SMS: dict[str, Any] = {
    "type": "SMS",
    "content": "Dear customer",
    "receiver": [{"phoneNumber": "+46701234567"}],
}


def read(body: dict[str, Any]) -> Draft:
    return read_message(Fields.of(body, MESSAGE_FIELDS), RULES, tenant="default")


def fault(body: dict[str, Any]) -> RequestError:
    with pytest.raises(RequestError) as caught:
        read(body)
    return caught.value
