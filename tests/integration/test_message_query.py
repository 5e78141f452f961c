"""Lists of messages: what SQL finds is what the evaluator finds in the whole resources."""

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert

from communication import clock, message_query
from communication.conditions import matcher
from communication.errors import InvalidQueryParameter, Unprocessable
from communication.message_query import Page, find
from communication.message_vocabulary import message_vocabulary
from communication.model import DOCUMENT, MESSAGE, RECEIVER
from communication.store import Store, open_store, upgrade
from communication.tmf630 import Query, parse_query_string

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


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    upgrade(database_url)
    store = open_store(database_url)
    yield store
    store.close()


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


@pytest.fixture
def shelf(store: Store) -> Shelf:
    return Shelf(store)


TEXTS = ["A", "B", "a", "AB", "10", "9", "1", "true", "", "é", "x,y", "a\nb", '"\\', "$A", "%"]
SCALARS = st.sampled_from([*TEXTS, True, False, None, 0, 1, 9, 10, 1.5, -2, 0.1])
NAMES = st.sampled_from(["name", "value", "x", "lt"])
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=2),
    max_leaves=4,
)
MOMENTS = st.sampled_from([NOON + timedelta(microseconds=step) for step in (-999, 0, 1, 545, 9999)])
COUNTS = st.integers(0, 2)
CHARACTERISTICS = st.lists(
    st.fixed_dictionaries({"name": st.sampled_from(["A", "B", "10"]), "value": VALUES}), max_size=3
)
RECEIVERS = st.lists(
    st.fixed_dictionaries(
        {"id": st.sampled_from(TEXTS)},
        optional={
            "name": st.sampled_from(TEXTS),
            "email": st.sampled_from(["a@x", "b@x"]),
            "phoneNumber": st.sampled_from(["+461", "10"]),
            "characteristic": CHARACTERISTICS,
            "x": VALUES,
        },
    ),
    min_size=1,
    max_size=3,
)
RESOURCES = st.fixed_dictionaries(
    {
        "type": st.sampled_from(list(CHANNELS)),
        "status": st.sampled_from(["Initial", "Completed", "Failed"]),
        "priority": st.sampled_from([0, 1, 9]),
        "receiver": RECEIVERS,
    },
    optional={
        "subject": st.sampled_from(TEXTS),
        "tryTimes": st.sampled_from([0, 1, 10]),
        "callbackFlag": st.booleans(),
        "sendTime": MOMENTS,
        "sendTimeComplete": MOMENTS,
        "sender": VALUES,
        "x": VALUES,
        "value": VALUES,
        "CommunicationRequestCharacteristic": CHARACTERISTICS,
        "deliverySummary": st.fixed_dictionaries({"failed": COUNTS, "delivered": COUNTS}).map(
            lambda counts: {
                "total": sum(counts.values()),
                "pending": 0,
                "cancelled": 0,
                **counts,
            }
        ),
    },
)
SCALAR_TEXTS = "A B a 10 9 1 -2 1.5 0.1 1e1 true false A,B 1,true %C3%A9 x,y %22%5C"
PATTERNS = "^A [ab%5D (?i)b a.b ^$ %5C$ A|1 [^A] .{2,} %C3%A9"
EVERY = "= = = = == != .eq= .ne= .gt= .gte= .lt= .lte= > >= < <="
ASKED = [  # attributes, operators, values
    (
        "sender sender.name sender.x x x.name x.x x.lt.eq value.x.value value characteristic.name "
        "characteristic.value characteristic.value.x receiver.id receiver.name "
        "receiver.characteristic.name receiver.characteristic.value receiver.x receiver.x.name "
        "subject absent",
        EVERY,
        SCALAR_TEXTS,
    ),
    (
        "subject x value characteristic.value characteristic.name receiver.name receiver.x sender "
        "id href type status",
        ".regex= *= =~",
        PATTERNS,
    ),
    ("characteristic receiver receiver.absent absent deliverySummary", EVERY, "A %7B%7D"),
    ("receiver.email receiver.phoneNumber", EVERY, "a@x b@x a@x,b@x 00461 %2B461 10"),
    ("id", EVERY, "m1 m0,m2 m"),
    ("href", EVERY, f"{HREF}m1 {HREF}m0,{HREF}m2 elsewhere"),
    ("type", EVERY, "sms 2 Email MobileApp,1 pigeon"),
    ("status", EVERY, "Completed Failed Completed,Initial completed"),
    ("priority tryTimes", EVERY, "0 1 9 10 0.5 0,1 1e1 -1"),
    ("callbackFlag", "= != .eq= .ne=", "true false TRUE true,false"),
    (
        "sendTime sendTimeComplete",
        EVERY,
        "2026-11-21T12:00:00.123Z 2026-11-21T13:00:00.1235%2B01:00 2026-11-21T12:00:00.122Z",
    ),
    (
        "deliverySummary.failed deliverySummary.total deliverySummary.pending deliverySummary.x",
        EVERY,
        "0 1 2 1,2",
    ),
]
CONDITIONS = st.one_of(
    *(
        st.tuples(*(st.sampled_from(choices.split()) for choices in one)).map("".join)
        for one in ASKED
    )
)
PARTS = st.lists(CONDITIONS, min_size=1, max_size=2).map(";".join)
QUERIES = st.lists(CONDITIONS | PARTS, min_size=1, max_size=3).map("&".join)

_tenants = itertools.count()


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(RESOURCES, min_size=1, max_size=5), st.lists(QUERIES, min_size=1, max_size=12))
def test_sql_finds_what_the_evaluator_finds(
    store: Store, resources: list[Resource], queries: list[str]
) -> None:
    shelf = Shelf(store, f"tenant-{next(_tenants)}")
    for number, one in enumerate(resources):
        shelf.put(resource(f"m{number}") | one)
    for raw in queries:
        assert (raw, shelf.ids(raw)) == (raw, shelf.expected(raw))
