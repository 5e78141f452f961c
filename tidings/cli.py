"""The command `tidings`. Commands import what they need when they run, so that --help is quick."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path

import click

from communication.errors import SettingsError, TidingsError
from communication.lanes import QUEUE_VERSION, all_queues
from communication.log import configure_logging
from communication.settings import Settings, load_settings
from tidings.templates.commands import templates


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="tidings")
def main() -> None:
    """Tidings: SMS, email and mobile push behind TMF681."""


@main.command()
@click.option("--bind", metavar="HOST:PORT", help="Where to listen; default 127.0.0.1:8080.")
@click.option("--data", metavar="DIR", help="Where to keep files; default ./var.")
def up(bind: str | None, data: str | None) -> None:
    """Run everything in one process, with no other server."""
    with _explained():
        settings = _start("up", bind=bind, data=data)
        from tidings.up import run_all

        run_all(settings)


@main.command()
@click.option("--bind", metavar="HOST:PORT", help="Where to listen; default 127.0.0.1:8080.")
def api(bind: str | None) -> None:
    """Run the HTTP API."""
    with _explained():
        settings = _start("api", bind=bind)
        _share_metrics(settings)
        from tidings.parts import run_api

        run_api(settings)


@main.command()
def relay() -> None:
    """Run a relay: it hands due work to the workers."""
    with _explained():
        settings = _start("relay")
        _share_metrics(settings)
        from tidings.parts import run_relay

        run_relay(settings)


@main.command()
@click.option(
    "--queues",
    default="*",
    metavar="PATTERN[,PATTERN]",
    help="Which queues to work for, such as 'deliver.*.urgent'; default: all.",
)
def work(queues: str) -> None:
    """Run a worker: it renders and sends."""
    with _explained():
        wanted = queues_matching(queues)
        settings = _start("work")
        _share_metrics(settings)
        from tidings.parts import run_workers

        run_workers(settings, wanted)


@main.group()
def db() -> None:
    """The database's schema."""


@db.command()
def upgrade() -> None:
    """Bring the schema of TIDINGS_DATABASE_URL to this version; the first time, make it."""
    with _explained():
        settings = _start("db")
        from communication.settings import redacted
        from communication.store import upgrade as upgrade_schema

        upgrade_schema(settings.database_url)
        click.echo(f"The schema of {redacted(settings.database_url)} is up to date.")


@main.command()
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
    """Take in mails that came back, from a mail server's pipe or a folder (docs/email.md)."""
    with _explained(exit_codes=True):
        settings = _start("bounce")
        from tidings.email_commands import take_folder, take_piped

        if maildir is None:
            sys.exit(take_piped(settings, recipients))
        take_folder(settings, maildir, every)


@main.group()
def suppression() -> None:
    """Addresses that are not written to."""


_tenant = click.option("--tenant", default="default", show_default=True)


@suppression.command("list")
@click.option("--tenant", help="Of one tenant; default: of all.")
def suppression_list(tenant: str | None) -> None:
    """Show them: address, since when, tenant, reason."""
    with _explained():
        from tidings.email_commands import show_suppressed

        show_suppressed(_start("suppression"), tenant)


@suppression.command("add")
@click.argument("address")
@_tenant
@click.option("--reason", default="named by an operator", show_default=True)
def suppression_add(address: str, tenant: str, reason: str) -> None:
    """Write to an address no more."""
    with _explained():
        from tidings.email_commands import suppress

        is_news = suppress(_start("suppression"), address, tenant=tenant, reason=reason)
        click.echo("It is not written to any more." if is_news else "It was on the list.")


@suppression.command("remove")
@click.argument("address")
@_tenant
def suppression_remove(address: str, tenant: str) -> None:
    """Write to an address again."""
    with _explained():
        from tidings.email_commands import forgive

        if not forgive(_start("suppression"), address, tenant=tenant):
            raise SettingsError(f"{address} is not on the list of tenant {tenant}")
        click.echo("It is written to again.")


main.add_command(templates)


def _start(process: str, **overrides: str | None) -> Settings:
    settings = load_settings(**overrides)
    try:
        settings.data.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(f"TIDINGS_DATA: no folder {settings.data}: {error.strerror}") from error
    configure_logging(settings.log_level, process=process)
    return settings


def _share_metrics(settings: Settings) -> None:
    """All processes of this machine count into one folder, named before prometheus is imported."""
    folder = (settings.data / "metrics").resolve()
    folder.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", str(folder))


def queues_matching(patterns: str) -> list[str]:
    """The queues that the patterns name. SettingsError for one that names none."""
    known = all_queues()
    wanted = [pattern.strip() for pattern in patterns.split(",")]
    matched = {
        pattern: [
            q for q in known if fnmatch(q, pattern) or fnmatch(q, f"{pattern}.{QUEUE_VERSION}")
        ]
        for pattern in wanted
    }
    for pattern, queues in matched.items():
        if not queues:
            raise SettingsError(f"--queues {pattern}: no such queue; there are {', '.join(known)}")
    return [queue for queue in known if any(queue in queues for queues in matched.values())]


@contextmanager
def _explained(*, exit_codes: bool = False) -> Iterator[None]:
    """What the operator can mend is said in a line, without a traceback.

    With `exit_codes` the exit code is one that mail servers understand (sysexits.h), else 1.
    """
    try:
        yield
    except TidingsError as error:
        click.echo(f"tidings: {error}", err=True)
        code = os.EX_CONFIG if isinstance(error, SettingsError) else os.EX_TEMPFAIL
        sys.exit(code if exit_codes else 1)
