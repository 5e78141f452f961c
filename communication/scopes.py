"""What an access token may be for (RFC 6749 §3.3)."""

SCOPES = frozenset(
    (
        "communication:read",
        "communication:write",
        "communication:send",
        "hub:write",
        "listener:write",
        "notification:consent:administrator",
        "notification:consent:consumer",
        "orderevents:read",
        "events:read",
        "events:write",
        "device:write",
        "admin",
    )
)
"""All that there are. A method that needs one of several names them with spaces between."""
