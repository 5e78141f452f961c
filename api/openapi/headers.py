"""Headers of answers, by name."""

from api.openapi.pieces import Json, number, one_of, text

_WHEN_LIMITED = ("Retry-After", "RateLimit", "RateLimit-Policy", "RateLimit-Limit",
                 "RateLimit-Remaining", "RateLimit-Reset")  # fmt: skip
OF_STATUS = {
    401: ("WWW-Authenticate",),
    403: ("WWW-Authenticate",),
    405: ("Allow",),
    429: _WHEN_LIMITED,
    503: ("Retry-After",),
}
"""What an error's answer has beside its body."""
WHEN_LIMITED = _WHEN_LIMITED
PAGED = ("X-Total-Count", "X-Result-Count", "Link")

HEADERS: dict[str, Json] = {
    name: {"description": description, "schema": schema}
    for name, description, schema in (
        ("X-Request-ID", "The log has what happened under it.", text(least=1)),
        ("Allow", "The methods that the path has.", {"type": "string"}),
        ("Location", "Where the new resource is.", {"type": "string"}),
        ("X-Total-Count", "How many there are in all.", number(0)),
        ("X-Result-Count", "How many are on this page.", number(0)),
        ("Link", "The first, previous, next and last page (RFC 8288).", {"type": "string"}),
        ("ETag", "The mark of the last entry.", {"type": "string"}),
        ("Idempotent-Replayed", "It is the answer that the key got first.", one_of("true")),
        ("WWW-Authenticate", "What is wrong with the token (RFC 6750).", text(pattern="^Bearer ")),
        ("Retry-After", "Seconds after which to come again.", number(1)),
        ("RateLimit", "What is left (draft-ietf-httpapi-ratelimit-headers-10).",
         text(pattern=r'^"[a-z]+";r=[0-9]+;t=[0-9]+$', examples=['"client";r=0;t=2'])),
        ("RateLimit-Policy", "How many requests, in how many seconds.",
         text(pattern=r'^"[a-z]+";q=[0-9]+;w=[0-9]+$', examples=['"client";q=1000;w=1'])),
        ("RateLimit-Limit", "How many requests.", number(1)),
        ("RateLimit-Remaining", "How many are left.", number(0)),
        ("RateLimit-Reset", "Seconds until there are all of them again.", number(1)),
    )
}  # fmt: skip
