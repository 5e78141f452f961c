"""What is a usable email address: one rule, for accepting a message and for sending it."""

import re
from dataclasses import dataclass
from functools import lru_cache

from email_validator import EmailNotValidError, validate_email

# What nearly all addresses look like: a hundred thousand of them are checked in one request,
# and the validator takes ten times as long.
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"(?![^.]*--)[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ORDINARY = re.compile(rf"({_ATOM}(?:\.{_ATOM})*)@(?:({_LABEL}(?:\.{_LABEL})*)|([^@]+))")
_LONGEST = 254


@dataclass(frozen=True, slots=True)
class Mailbox:
    """An email address; the domain is in its ASCII form (RFC 5890)."""

    local: str
    domain: str

    @property
    def international(self) -> bool:
        """Whether it can be sent to by SMTPUTF8 (RFC 6531) alone."""
        return not self.local.isascii()

    def __str__(self) -> str:
        return f"{self.local}@{self.domain}"


def mailbox(address: str) -> Mailbox:
    """An email address in its parts. ValueError, saying why, if it is none.

    Its syntax alone counts (RFC 5321, 6531, IDNA 2008), not whether the domain exists: mail to
    `localhost` and to names of one's own network is sent as well.
    """
    text = address.strip()
    ordinary = _ORDINARY.fullmatch(text)
    if ordinary is None:
        found = _validated(text)
    else:
        found = Mailbox(ordinary[1], (ordinary[2] or _domain(ordinary[3])).lower())
    if len(str(found).encode()) > _LONGEST:
        raise ValueError(f"must have at most {_LONGEST} octets")
    if "=?" in found.local:  # many a reader decodes it, to line ends or another's address
        raise ValueError("must not look like an encoded word (RFC 2047)")
    return found


@lru_cache(maxsize=1000)
def _domain(text: str) -> str:
    """In ASCII. The few domains beyond it are those of many addresses."""
    return _validated(f"name@{text}").domain


def _validated(text: str) -> Mailbox:
    try:
        found = validate_email(
            text,
            check_deliverability=False,
            allow_smtputf8=True,
            allow_quoted_local=True,
            allow_domain_literal=True,
            globally_deliverable=False,
        )
    except EmailNotValidError as error:
        raise ValueError(f"must be an email address such as name@example.com: {error}") from error
    return Mailbox(found.local_part, found.ascii_domain)
