"""Lists of messages: what is found, in which order, and how many there are."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import update

from communication.errors import Unprocessable
from communication.model import RECEIVER
from communication.query import message_query
from communication.query.message_query import Page
from communication.store import Store, open_store
from tests.shelf import NOON, Shelf, resource


@pytest.fixture
def store(migrated_url: str) -> Iterator[Store]:
    store = open_store(migrated_url)
    yield store
    store.close()


@pytest.fixture
def shelf(store: Store) -> Shelf:
    return Shelf(store)


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
