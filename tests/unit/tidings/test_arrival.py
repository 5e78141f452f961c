"""What is kept of requests that come in."""

from collections.abc import Iterator

import pytest

from tidings.http import arrival
from tidings.http.arrival import IN_MEMORY, Arrival, Room

MOST = 10_000_000


def post(length: int, sent: int) -> bytes:
    return b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s" % (length, b"x" * sent)


def begun(room: Room, sent: int) -> Arrival:
    found = Arrival(MOST, room)
    found.add(post(MOST, sent))
    return found


def test_room_is_taken_while_a_request_is_kept() -> None:
    room = Room()
    small, large = begun(room, 1000), begun(room, IN_MEMORY)
    assert room.taken > IN_MEMORY + 1000
    assert 1000 < room.in_memory < 2000
    for one in (small, large, small):
        one.close()
    assert (room.taken, room.in_memory) == (0, 0)


def test_small_requests_are_kept_in_files_while_memory_is_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(arrival, "MOST_IN_MEMORY", 3000)
    room = Room()
    kept = [begun(room, 1000) for _ in range(5)]
    assert room.in_memory <= 3000
    assert room.taken > 5000
    for one in kept:
        one.rewind()
        assert one.take(MOST).endswith(b"\r\n\r\n" + b"x" * 1000)
        one.close()
    assert (room.taken, room.in_memory) == (0, 0)


@pytest.mark.parametrize("cut", [1, 2, 3, 7, 1000])
def test_of_chunks_only_what_counts_is_kept_however_they_are_cut(cut: int) -> None:
    head = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    sent = head + b'A ;x="y"\r\n0123456789\r\n01\r\na\r\n0;z\r\nT: 1\r\nU: 2\r\n\r\nGET'
    one = Arrival(MOST, Room())
    for place in range(0, len(sent), cut):
        one.add(sent[place : place + cut])
    assert one.whole
    assert one.refusal is None
    assert one.surplus == b"GET"
    kept = one.take(MOST)
    assert kept.startswith(head)
    assert b"".join(chunks(kept.removeprefix(head))) == b"0123456789a"


def chunks(body: bytes) -> Iterator[bytes]:
    """The data of chunks that have neither extensions nor trailers."""
    while not body.startswith(b"0"):
        size, _, rest = body.partition(b"\r\n")
        yield rest[: int(size, 16)]
        assert rest[int(size, 16) :][:2] == b"\r\n"
        body = rest[int(size, 16) + 2 :]
    assert body == b"0\r\n\r\n"


@pytest.mark.parametrize(("size", "count", "taken"), [(1, 10_200, False), (1, 9_000, True),
                                                     (64, 40_000, True)])  # fmt: skip
def test_many_small_chunks_are_refused(size: int, count: int, *, taken: bool) -> None:
    one = Arrival(MOST, Room())
    one.add(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")
    one.add(b"%x\r\n%s\r\n" % (size, b"x" * size) * count)
    assert (one.refusal is None) == taken
    one.close()


def test_small_chunks_are_handed_on_as_one() -> None:
    one = Arrival(MOST, Room())
    one.add(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 20)
    one.add(b"0\r\n\r\n")
    assert one.take(MOST).endswith(b"\r\n\r\n14\r\n" + b"x" * 20 + b"\r\n0\r\n\r\n")
