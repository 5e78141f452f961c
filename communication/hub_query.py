"""What a hub may ask to hear of (seed 004; TMF630 filters over the event)."""

from communication.conditions import Kind
from communication.errors import InvalidQueryParameter
from communication.tmf630 import Query, Vocabulary, parse_query_string

_VOCABULARY = Vocabulary(kinds={("eventType",): Kind.TEXT, ("eventId",): Kind.TEXT})
_OF_LISTS = ("sort", "offset", "limit")


def parse_hub_query(text: str) -> Query:
    """`eventType=A,B` or `A;B`, joined with `&` to more conditions on the event.

    InvalidQueryParameter if it can't be understood.
    """
    for name in (part.partition("=")[0].strip() for part in text.split("&")):
        if name in _OF_LISTS:
            raise InvalidQueryParameter("is for lists; a hub hears each event", field=name)
    return parse_query_string(text.strip(), _VOCABULARY)
