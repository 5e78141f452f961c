"""Whom we are to an SMSC."""

import ssl
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Where and as whom to bind. Times are in seconds."""

    name: str
    """The URL without its secrets."""
    host: str
    port: int
    context: ssl.SSLContext | None = field(repr=False)
    system_id: str
    password: str = field(repr=False)
    system_type: str = ""
    window: int
    """Most submits without an answer."""
    timeout: float
    """Longest wait for connecting, for the bind and for the answer to a submit."""
    enquire: float
    """Silence after which the SMSC is asked for a sign of life."""
