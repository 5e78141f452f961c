"""The one clock: aware UTC datetimes, and their form on the wire."""

from datetime import UTC, datetime


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)


def to_wire(moment: datetime) -> str:
    """`2026-11-21T08:00:00.000Z`: UTC, milliseconds, as every contract writes times."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse(text: str) -> datetime:
    """An ISO 8601 time with a zone, as an aware datetime in UTC.

    Seed 004 writes `2016-12-19 T04:00:00.0Z` with a stray space, so spaces around
    the `T` are accepted. ValueError for anything else, a time without a zone included.
    """
    moment = datetime.fromisoformat(text.strip().replace(" T", "T").replace("T ", "T"))
    if moment.tzinfo is None:
        raise ValueError("the time has no zone; add Z or an offset such as +02:00")
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("the time is beyond the calendar") from error
