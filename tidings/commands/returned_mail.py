"""What `tidings bounce` and `tidings suppression` do (docs/email.md)."""

import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import click
import structlog

from channels.email.mail_policy import open_bounce_address
from communication.clock import now, to_wire
from communication.errors import ServiceUnavailable, SettingsError
from communication.mail import suppression
from communication.mail.bounces import Bounces, Finding
from communication.mail.dsn import LARGEST
from communication.settings import Settings
from communication.store import Store
from tidings.commands.mailbox_folder import mails_in
from tidings.database import open_database

_EXIT = {
    Finding.RECORDED: os.EX_OK,
    Finding.GOOD_NEWS: os.EX_OK,
    Finding.NO_REPORT: os.EX_DATAERR,
    Finding.UNKNOWN: os.EX_NOUSER,
    Finding.TOO_EARLY: os.EX_TEMPFAIL,
}
"""By them a mail server knows what to do with a mail that it piped (sysexits.h)."""
_ENVELOPE = ("RECIPIENT", "ORIGINAL_RECIPIENT")
"""In which Postfix and Exim tell a command whom the mail is for."""

log = structlog.get_logger(part="bounces")


def take_piped(settings: Settings, recipients: Sequence[str]) -> int:
    """Take in the mail on standard input; the exit code that a mail server wants."""
    mail = sys.stdin.buffer.read(LARGEST)
    while sys.stdin.buffer.read(LARGEST):
        pass  # a server whose pipe breaks would think that we failed
    told = [os.environ[name] for name in _ENVELOPE if name in os.environ]
    with closing(open_database(settings)) as store:
        finding = _bounces(settings, store).take(mail, [*recipients, *told])
    if finding is not Finding.RECORDED:
        click.echo(f"tidings bounce: {finding.value}", err=True)
    return _EXIT[finding]


def take_folder(settings: Settings, folder: Path, every: float | None) -> None:
    """Take in the mails of a folder: once, or again every so many seconds for ever."""
    if not folder.is_dir():
        raise SettingsError(f"--maildir: there is no folder {folder}")
    with closing(open_database(settings)) as store:
        bounces = _bounces(settings, store)
        while every is not None:
            try:
                _take_all(bounces, folder)
            except ServiceUnavailable as error:
                log.warning("bounces can't be recorded yet", why=error.message)
            time.sleep(every)
        _take_all(bounces, folder)


def show_suppressed(settings: Settings, tenant: str | None) -> None:
    """Write the list to standard output: address, since when, tenant and reason, by tabs."""
    with closing(open_database(settings)) as store, store.read() as connection:
        for row in suppression.listed(connection, tenant):
            line = (row.address, to_wire(row.created_at), row.tenant, row.reason)
            click.echo("\t".join(line))


def suppress(settings: Settings, address: str, *, tenant: str, reason: str) -> bool:
    """Put an address on the list; False if it was there."""
    with closing(open_database(settings)) as store, store.write() as connection, _about(address):
        return suppression.add(
            connection, tenant=tenant, address=address, reason=reason, origin=None, now=now()
        )


def forgive(settings: Settings, address: str, *, tenant: str) -> bool:
    """Take an address from the list; False if it was not there."""
    with closing(open_database(settings)) as store, store.write() as connection, _about(address):
        return suppression.remove(connection, tenant=tenant, address=address)


def _take_all(bounces: Bounces, folder: Path) -> None:
    for mail in mails_in(folder):
        content = mail.read()
        finding = Finding.NO_REPORT if content is None else bounces.take(content)
        if finding is not Finding.TOO_EARLY:
            mail.put_away(understood=_EXIT[finding] == os.EX_OK)
            log.info("mail read", file=mail.file.name, finding=finding.value)


def _bounces(settings: Settings, store: Store) -> Bounces:
    return Bounces(store, open_bounce_address(settings), suppressing=settings.suppression)


@contextmanager
def _about(address: str) -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise SettingsError(f"{address!r}: {error}") from error
