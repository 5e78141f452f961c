"""What SQL finds on either database is what the evaluator finds in the whole resources."""

import itertools
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from communication.errors import InvalidQueryParameter
from communication.store import Store, open_store
from tests.shelf import CHANNELS, HREF, NOON, Resource, Shelf, parsed, resource


@pytest.fixture
def store(migrated_url: str) -> Iterator[Store]:
    store = open_store(migrated_url)
    yield store
    store.close()


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
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
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
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
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
