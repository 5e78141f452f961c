"""Lists of messages: what SQL finds is what the evaluator finds in the whole resources."""

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, update

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
FREE = """
    sender sender.name sender.x x x.name x.x x.lt.eq value.x.value value subject absent
    characteristic.name characteristic.value characteristic.value.x receiver.id receiver.name
    receiver.characteristic.name receiver.characteristic.value receiver.x receiver.x.name
"""
SEARCHED = """
    subject x value characteristic.value characteristic.name receiver.name receiver.x sender
    id href type status
"""
ASKED = [  # attributes, operators, values
    (FREE, EVERY, SCALAR_TEXTS),
    (SEARCHED, ".regex= *= =~", PATTERNS),
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


def is_understood(raw: str) -> bool:
    try:
        parsed(raw)
    except InvalidQueryParameter:
        return False
    return True


CONDITIONS = st.one_of(
    *(
        st.tuples(*(st.sampled_from(choices.split()) for choices in one)).map("".join)
        for one in ASKED
    )
).filter(is_understood)
PARTS = st.lists(CONDITIONS, min_size=1, max_size=2).map(";".join)
QUERIES = st.lists(CONDITIONS | PARTS, min_size=1, max_size=3).map("&".join)

_tenants = itertools.count()


@settings(
    max_examples=80,
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
        assert (raw, sorted(shelf.ids(raw))) == (raw, shelf.expected(raw))


def test_messages_come_in_the_order_of_their_creation(shelf: Shelf) -> None:
    for identity in ("c", "a", "b"):
        shelf.put(resource(identity))
    assert shelf.ids("") == ["c", "a", "b"]


def test_deleted_messages_and_other_tenants_are_never_found(store: Store, shelf: Shelf) -> None:
    Shelf(store, "another").put(resource("theirs"))
    shelf.put(resource("gone"), deleted=True)
    shelf.put(resource("mine"))
    assert shelf.ids("status=Completed") == ["mine"]
    assert shelf.find("").total == 1


def test_a_replaced_receiver_is_not_searched(store: Store, shelf: Shelf) -> None:
    shelf.put(resource("a"))
    with store.write() as connection:
        connection.execute(update(RECEIVER).values(removed_at=NOON))
    assert shelf.ids("receiver.email=ann@example.com") == []


def test_pages_are_cut_out_of_the_whole_and_know_its_size(shelf: Shelf) -> None:
    for identity in "abcde":
        shelf.put(resource(identity))
    page = shelf.find("offset=1&limit=2")
    assert [shelf.resources[key]["id"] for key in page.keys] == ["b", "c"]
    assert (page.total, page.exact) == (5, True)
    assert shelf.ids("offset=4&limit=2") == ["e"]
    assert shelf.find("offset=9") == Page(keys=[], total=5, exact=True)
    assert shelf.find("limit=0&sort=id") == Page(keys=[], total=5, exact=True)


SORTED = {
    "id": ["a", "b", "c"],
    "-id": ["c", "b", "a"],
    "type": ["a", "c", "b"],
    "status": ["b", "a", "c"],
    "priority": ["b", "c", "a"],
    "-priority": ["a", "c", "b"],
    "sendTime": ["a", "c", "b"],
    "-sendTime": ["b", "c", "a"],
    "sendTimeComplete": ["a", "b", "c"],
    "-sendTimeComplete": ["c", "b", "a"],
    "subject": ["b", "c", "a"],
    "-subject": ["a", "c", "b"],
    "tryTimes": ["c", "a", "b"],
    "-callbackFlag": ["b", "a", "c"],
    "@type": ["a", "b", "c"],
    "-priority,subject": ["a", "b", "c"],
}


@pytest.mark.parametrize("sort", list(SORTED))
@pytest.mark.parametrize("exact_up_to", [0, 10_000], ids=["many", "few"])
def test_absent_values_are_the_smallest_and_equal_ones_go_by_creation(
    shelf: Shelf, sort: str, exact_up_to: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(message_query, "EXACT_UP_TO", exact_up_to)
    shelf.put(resource("a", priority=9, tryTimes=9, subject="é", callbackFlag=False))
    late = {"subject": "A", "sendTime": NOON, "callbackFlag": True}
    shelf.put(resource("b", type="SMS", status="Cancelled", priority=1, tryTimes=10, **late))
    early = {"subject": "a", "sendTime": NOON - timedelta(hours=1)}
    shelf.put(resource("c", type="MobileApp", status="Failed", priority=1, **early))
    assert shelf.ids(f"sort={sort}") == SORTED[sort]


def test_messages_filtered_by_time_come_in_its_order(shelf: Shelf) -> None:
    for hours, identity in enumerate("cba"):
        shelf.put(resource(identity, sendTime=NOON - timedelta(hours=hours)))
    assert shelf.ids("sendTime.gte=2020-01-01T00:00:00Z") == ["a", "b", "c"]
    assert shelf.ids("sendTime.gte=2020-01-01T00:00:00Z&sort=id") == ["a", "b", "c"]


@pytest.mark.parametrize(
    "condition",
    [
        "sendTime.lte=9999-12-31T23:59:59.999Z",
        "sendTime.lt=9999-12-31T23:59:59.9999Z",
        "sendTime.gt=0001-01-01T00:00:00Z",
        "priority.lt=99999999999999999999999",
        "priority.gt=-1e99",
        "tryTimes.lt=1e99",
    ],
)
def test_extreme_values_are_compared(shelf: Shelf, condition: str) -> None:
    shelf.put(resource("a", sendTime=NOON, tryTimes=3))
    assert shelf.ids(condition) == ["a"]


def test_a_total_beyond_the_bounds_is_a_guess_above_them(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(message_query, "EXACT_UP_TO", 1)
    monkeypatch.setattr(message_query, "COUNTED_UP_TO", 1)
    for identity in "abc":
        shelf.put(resource(identity))
    page = shelf.find("limit=2")
    assert [shelf.resources[key]["id"] for key in page.keys] == ["a", "b"]
    assert page.total > 1
    assert not page.exact


def test_a_search_that_takes_too_long_is_given_up(shelf: Shelf) -> None:
    for number in range(300):
        shelf.put(resource(f"m{number}", x=["a" * 1000] * 100))
    with pytest.raises(Unprocessable, match="narrow it"):
        shelf.find("x.regex=(a{1,30}){1,30}b$", seconds=0.002)
    assert shelf.find("id=m1").total == 1


PATTERN_TEXTS = st.text(alphabet="aAbé1 \n$^-]", max_size=6)
PATTERNS_OF_ALL_KINDS = st.recursive(
    st.sampled_from(
        ["a", "B", "é", "1", " ", ".", "^", "$", "-", r"\]", r"\$", r"\n", r"\d", r"\w", r"\S"],
    )
    | st.sampled_from(["[aé]", "[^a]", "[a-c1]", r"[\d\-]", r"[^\w]", "[$^]", r"\x61", "()"]),
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3).map("".join),
        st.lists(inner, min_size=2, max_size=3).map("|".join),
        inner.map("({})".format),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{1,}", "{0,2}?"])).map(
            lambda pair: f"(?:{pair[0]}){pair[1]}"
        ),
    ),
    max_leaves=6,
)


@settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.lists(PATTERN_TEXTS, min_size=1, max_size=6),
    st.lists(st.tuples(st.sampled_from(["", "(?i)"]), PATTERNS_OF_ALL_KINDS), min_size=1),
)
def test_patterns_mean_the_same_to_every_engine(
    store: Store, texts: list[str], patterns: list[tuple[str, str]]
) -> None:
    shelf = Shelf(store, f"tenant-{next(_tenants)}")
    for number, one in enumerate(texts):
        receiver = {"id": "r", "name": one}
        shelf.put(resource(f"m{number}", subject=one, receiver=[receiver]))
    for fold, pattern in patterns:
        for name in ("subject", "receiver.name"):
            raw = f"{name}.regex={quote(fold + pattern)}"
            assert (raw, sorted(shelf.ids(raw))) == (raw, shelf.expected(raw))
