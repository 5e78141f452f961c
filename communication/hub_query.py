"""What a hub may ask to hear of (seed 004; TMF630 filters over the event)."""

from communication.conditions import Kind
from communication.tmf630 import Query, Vocabulary, parse_query_string

_VOCABULARY = Vocabulary(kinds={("eventType",): Kind.TEXT, ("eventId",): Kind.TEXT})


def parse_hub_query(text: str) -> Query:
    """`eventType=A,B` or `A;B`, joined with `&` to more conditions on the event.

    InvalidQueryParameter if it can't be understood.
    """
    return parse_query_string(text.strip(), _VOCABULARY)
