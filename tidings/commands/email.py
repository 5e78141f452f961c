"""`tidings bounce` and `tidings suppression` (docs/email.md)."""

import os
import sys
from pathlib import Path

import click

from communication.errors import SettingsError, TidingsError
from tidings.explained import explained
from tidings.start import start

_tenant = click.option("--tenant", default="default", show_default=True)


@click.command()
@click.option(
    "--recipient",
    "recipients",
    multiple=True,
    metavar="ADDRESS",
    help="Whom the mail is for, by its envelope.",
)
@click.option(
    "--maildir",
    type=click.Path(path_type=Path),
    help="Read a Maildir, or a folder of mails, instead of standard input.",
)
@click.option(
    "--every", type=click.FloatRange(min=0.1), metavar="SECONDS", help="Read it again and again."
)
def bounce(recipients: tuple[str, ...], maildir: Path | None, every: float | None) -> None:
    """Take in mails that came back, from a mail server's pipe or a folder."""
    try:
        settings = start("bounce")
        from tidings.commands.returned_mail import take_folder, take_piped

        if maildir is None:
            sys.exit(take_piped(settings, recipients))
        take_folder(settings, maildir, every)
    except TidingsError as error:
        click.echo(f"tidings: {error}", err=True)
        # By them a mail server knows whether to try again (sysexits.h).
        sys.exit(os.EX_CONFIG if isinstance(error, SettingsError) else os.EX_TEMPFAIL)


@click.group()
def suppression() -> None:
    """Addresses that are not written to."""


@suppression.command("list")
@click.option("--tenant", help="Of one tenant; default: of all.")
def list_suppressed(tenant: str | None) -> None:
    """Show them: address, since when, tenant, reason."""
    with explained():
        from tidings.commands.returned_mail import show_suppressed

        show_suppressed(start("suppression"), tenant)


@suppression.command()
@click.argument("address")
@_tenant
@click.option("--reason", default="named by an operator", show_default=True)
def add(address: str, tenant: str, reason: str) -> None:
    """Write to an address no more."""
    with explained():
        from tidings.commands.returned_mail import suppress

        is_news = suppress(start("suppression"), address, tenant=tenant, reason=reason)
        click.echo("It is not written to any more." if is_news else "It was on the list.")


@suppression.command()
@click.argument("address")
@_tenant
def remove(address: str, tenant: str) -> None:
    """Write to an address again."""
    with explained():
        from tidings.commands.returned_mail import forgive

        if not forgive(start("suppression"), address, tenant=tenant):
            raise SettingsError(f"{address} is not on the list of tenant {tenant}")
        click.echo("It is written to again.")
