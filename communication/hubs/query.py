"""What a hub may ask to hear of (seed 004; TMF630 filters over the event)."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from communication.errors import InvalidQueryParameter
from communication.events.told import CREATION, DELETION, UPDATE
from communication.query.conditions import (
    Clauses,
    Condition,
    Kind,
    Operator,
    Path,
    matcher,
    selected,
)
from communication.query.tmf630 import Query, Vocabulary, parse_query_string

UNASKED = frozenset({CREATION, UPDATE, DELETION})
"""What a hub hears that names no event type."""

_TYPE: Path = ("eventType",)
_VOCABULARY = Vocabulary(
    kinds={_TYPE: Kind.TEXT, ("eventId",): Kind.TEXT, ("eventTime",): Kind.TIME}
)
_OF_LISTS = ("sort", "offset", "limit")
_RESOURCE = "CommunicationMessage"
_KEPT: tuple[Path, ...] = (("eventId",), ("eventTime",), _TYPE)


def parse_hub_query(text: str) -> Query:
    """`eventType=A,B` or `A;B`, joined with `&` to more conditions on the event.

    A `?` before it is no part of it. InvalidQueryParameter if it can't be understood.
    """
    text = text.strip().removeprefix("?")
    for name in (part.partition("=")[0].strip() for part in text.split("&")):
        if name in _OF_LISTS:
            raise InvalidQueryParameter("is for lists; a hub hears each event", field=name)
    return parse_query_string(text, _VOCABULARY)


class Interest:
    """A hub's query, ready to be tried on many events."""

    def __init__(self, query: Query) -> None:
        about_type: Clauses = tuple(
            clause for clause in query.clauses if all(one.path == _TYPE for one in clause)
        )
        self._named = _named(query.clauses)
        self._is_of_type = matcher(about_type)
        self._meets = matcher(query.clauses)
        self._by_type_alone = len(about_type) == len(query.clauses)
        self._fields = query.fields
        self.wants_all_fields = query.fields is None

    def types(self, known: Iterable[str]) -> frozenset[str]:
        """The event types that it may hear, of those named and those known."""
        if self._named is None:
            return UNASKED
        candidates = self._named | set(known)
        return frozenset(one for one in candidates if self._is_of_type({"eventType": one}))

    def hears(self, event_type: str, event_id: str, body: Mapping[str, Any]) -> bool:
        """Whether an event is wanted."""
        if self._named is None and event_type not in UNASKED:
            return False
        if self._by_type_alone:
            return self._is_of_type({"eventType": event_type})
        return self._meets(_view(event_type, event_id, body))

    def shown(self, body: dict[str, Any]) -> dict[str, Any]:
        """The event with the wanted fields alone; what tells events apart always stays."""
        if self._fields is None:
            return body
        paths = [_where_it_stands(path, body) for path in self._fields]
        return selected(body, [*_KEPT, *paths, *_identity(body)])


@lru_cache(maxsize=4096)
def interest_of(text: str) -> Interest:
    """Of a hub's query as it was registered; "" for none."""
    return Interest(parse_hub_query(text))


def _named(clauses: Clauses) -> frozenset[str] | None:
    """The event types that a query asks for by name; None if it has no condition on them."""
    conditions = [one for clause in clauses for one in clause if one.path == _TYPE]
    return frozenset(_values(conditions)) if conditions else None


def _values(conditions: Iterable[Condition]) -> Iterable[str]:
    for one in conditions:
        if one.operator is Operator.EQ:
            yield from one.values


def _view(event_type: str, event_id: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """The event as conditions see it: its message is found below `event` and beside it.

    Seed 004 nests the resource in a creation and not in an update.
    """
    view = {"eventId": event_id, **body, "eventType": event_type}
    resource = _resource(body)
    if resource is None:
        return view
    named = {_RESOURCE: resource, "communicationMessage": resource}
    inner = body.get("event")
    return {**view, **named, "event": {**(inner if isinstance(inner, dict) else {}), **named}}


def _resource(body: Mapping[str, Any]) -> Any:
    inner = body.get("event")
    nested = inner.get(_RESOURCE) if isinstance(inner, dict) else None
    return body.get(_RESOURCE, nested)


def _where_it_stands(path: Path, body: Mapping[str, Any]) -> Path:
    """A path to the message or into it, as this kind of event has it."""
    inner = path[1:] if path[0] == "event" else path
    if not inner or inner[0].lower() != _RESOURCE.lower() or _resource(body) is None:
        return path
    own = (_RESOURCE, *inner[1:])
    return own if _RESOURCE in body else ("event", *own)


def _identity(body: Mapping[str, Any]) -> Iterable[Path]:
    """Where the message's id and href are."""
    if _resource(body) is not None:
        for name in ("id", "href"):
            yield _where_it_stands((_RESOURCE, name), body)
