"""Messages that are put into the tables directly, to be looked for."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import insert

from communication import clock
from communication.model import DOCUMENT, MESSAGE, RECEIVER
from communication.query.conditions import matcher
from communication.query.message_query import Page, find
from communication.query.message_vocabulary import message_vocabulary
from communication.query.tmf630 import Query, parse_query_string
from communication.store import Store

HREF = "https://tidings.example/communicationMessage/"
NOON = datetime(2026, 11, 21, 12, 0, 0, 123_456, tzinfo=UTC)
CHANNELS = {"SMS": "sms", "Email": "email", "MobileApp": "push"}
COLUMNS = {"id", "href", "status", "sendTime", "sendTimeComplete", "receiver", "deliverySummary"}
RECEIVER_COLUMNS = {
    "id": "id",
    "name": "name",
    "email": "email",
    "phoneNumber": "phone",
    "appUserId": "app_user_id",
    "ip": "ip",
}

Resource = dict[str, Any]


def parsed(raw: str) -> Query:
    return parse_query_string(raw, message_vocabulary())


def resource(identity: str, **attributes: Any) -> Resource:
    return {
        "id": identity,
        "href": HREF + identity,
        "type": "Email",
        "status": "Completed",
        "priority": 4,
        "receiver": [{"id": "r1", "email": "ann@example.com"}],
    } | attributes


class Shelf:
    """Messages of one tenant, stored as rows and remembered as resources."""

    def __init__(self, store: Store, tenant: str = "default") -> None:
        self.store = store
        self.tenant = tenant
        self.resources: dict[int, Resource] = {}

    def put(self, whole: Resource, *, deleted: bool = False) -> None:
        shown = whole | {
            name: clock.to_wire(whole[name])
            for name in ("sendTime", "sendTimeComplete")
            if name in whole
        }
        with self.store.write() as connection:
            key = connection.execute(
                insert(MESSAGE).values(self._row(whole, deleted=deleted)).returning(MESSAGE.c.key)
            ).scalar_one()
            document = {name: value for name, value in whole.items() if name not in COLUMNS}
            connection.execute(insert(DOCUMENT).values(message_key=key, document=document))
            for ordinal, receiver in enumerate(whole["receiver"]):
                connection.execute(insert(RECEIVER).values(_receiver_row(key, ordinal, receiver)))
        if not deleted:
            self.resources[key] = shown

    def find(self, raw: str, **options: Any) -> Page:
        with self.store.read() as connection:
            return find(connection, self.tenant, parsed(raw), href_base=HREF, **options)

    def ids(self, raw: str) -> list[str]:
        return [self.resources[key]["id"] for key in self.find(raw).keys]

    def expected(self, raw: str) -> list[str]:
        meets = matcher(parsed(raw).clauses)
        return [one["id"] for one in self.resources.values() if meets(one)]

    def _row(self, whole: Resource, *, deleted: bool) -> dict[str, Any]:
        summary = whole.get("deliverySummary", {})
        return {
            "uid": f"{self.tenant}-{whole['id']}",
            "tenant": self.tenant,
            "id": whole["id"],
            "channel": CHANNELS[whole["type"]],
            "priority": whole["priority"],
            "status": whole["status"],
            "send": 1 if summary else 0,
            "send_time": whole.get("sendTime"),
            "send_time_complete": whole.get("sendTimeComplete"),
            "receiver_count": len(whole["receiver"]),
            "open_count": summary.get("pending", 0),
            "delivered_count": summary.get("delivered", 0),
            "failed_count": summary.get("failed", 0),
            "cancelled_count": summary.get("cancelled", 0),
            "created_at": NOON,
            "updated_at": NOON,
            "deleted_at": NOON if deleted else None,
        }


def _receiver_row(key: int, ordinal: int, receiver: Resource) -> dict[str, Any]:
    rest = {name: value for name, value in receiver.items() if name not in RECEIVER_COLUMNS}
    row = {column: receiver.get(name) for name, column in RECEIVER_COLUMNS.items()}
    return row | {"message_key": key, "ordinal": ordinal, "attributes": rest or None}
