"""Email addresses that came back for good, or that an operator named: they are not written to.

By tenant: what one client's mails met does not silence another's.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Text, any_, bindparam, delete, insert, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import IntegrityError

from communication.mail.suppression_model import SUPPRESSION
from communication.wire.mailbox import mailbox

REASON = "suppressed: mail to this address came back for good, or an operator named it"
"""Why a delivery to one ends."""


# Asked for every batch of emails: put together once.
_LISTED = select(SUPPRESSION.c.tenant, SUPPRESSION.c.address)
_AMONG = _LISTED.where(SUPPRESSION.c.address.in_(bindparam("addresses", expanding=True)))
_AMONG_ARRAY = _LISTED.where(
    SUPPRESSION.c.address == any_(bindparam("addresses", type_=ARRAY(Text)))
)


def suppressible(address: str) -> str:
    """The form in which addresses are compared: small letters, the domain in ASCII.

    ValueError if it is no address.
    """
    return str(mailbox(address)).lower()


def suppressed(
    connection: Connection, wanted: Iterable[tuple[str, str | None]]
) -> set[tuple[str, str]]:
    """Those of the (tenant, address)es that are not written to, as they were given."""
    given: dict[tuple[str, str], set[tuple[str, str]]] = defaultdict(set)
    for tenant, address in wanted:
        if address and (form := _form(address)):
            given[tenant, form].add((tenant, address))
    if not given:
        return set()
    statement = _AMONG_ARRAY if connection.dialect.name == "postgresql" else _AMONG
    rows = connection.execute(statement, {"addresses": list({form for _, form in given})})
    return {pair for row in rows.all() for pair in given.get((row.tenant, row.address), ())}


def add(
    connection: Connection,
    *,
    tenant: str,
    address: str,
    reason: str,
    origin: str | None,
    now: datetime,
) -> bool:
    """Write to an address no more; False if that was so already. ValueError if it is none."""
    row = {
        "tenant": tenant,
        "address": suppressible(address),
        "reason": reason,
        "origin": origin,
        "created_at": now,
    }
    try:
        with connection.begin_nested():
            connection.execute(insert(SUPPRESSION), row)
    except IntegrityError:
        return False
    return True


def remove(connection: Connection, *, tenant: str, address: str) -> bool:
    """Write to an address again; False if it was not on the list. ValueError if it is none."""
    gone = delete(SUPPRESSION).where(
        SUPPRESSION.c.tenant == tenant, SUPPRESSION.c.address == suppressible(address)
    )
    return connection.execute(gone).rowcount > 0


def listed(connection: Connection, tenant: str | None = None) -> Iterator[Row[Any]]:
    """All of the list, or a tenant's, in order of tenant and address; read as it is asked for."""
    wanted = select(*SUPPRESSION.c).order_by(SUPPRESSION.c.tenant, SUPPRESSION.c.address)
    if tenant is not None:
        wanted = wanted.where(SUPPRESSION.c.tenant == tenant)
    yield from connection.execution_options(yield_per=1000).execute(wanted)


def _form(address: str) -> str | None:
    """None for what was stored before addresses were checked as now."""
    try:
        return suppressible(address)
    except ValueError:
        return None
