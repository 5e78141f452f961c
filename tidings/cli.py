"""The command `tidings`. Commands import what they need when they run, so that --help is quick."""

import os
from fnmatch import fnmatch
from pathlib import Path

import click

from communication.errors import SettingsError
from communication.lanes import QUEUE_VERSION, all_queues
from communication.settings import Settings
from tidings.commands.channels import channels
from tidings.commands.data import forget, purge
from tidings.commands.email import bounce, suppression
from tidings.commands.keys import keys, token
from tidings.explained import explained
from tidings.start import loading, start
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
    with explained():
        settings = start("up", bind=bind, data=data)
        with loading():
            from tidings.up import run_all

        run_all(settings)


@main.command()
@click.option("--bind", metavar="HOST:PORT", help="Where to listen; default 127.0.0.1:8080.")
def api(bind: str | None) -> None:
    """Run the HTTP API."""
    with explained():
        settings = start("api", bind=bind)
        _share_metrics(settings)
        with loading():
            from tidings.parts import run_api

        run_api(settings)


@main.command()
def relay() -> None:
    """Run a relay: it hands due work to the workers."""
    with explained():
        settings = start("relay")
        _share_metrics(settings)
        with loading():
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
    with explained():
        wanted = queues_matching(queues)
        settings = start("work")
        _share_metrics(settings)
        with loading():
            from tidings.parts import run_workers

        run_workers(settings, wanted)


@main.group()
def db() -> None:
    """The database's schema."""


@db.command()
def upgrade() -> None:
    """Bring the schema of TIDINGS_DATABASE_URL to this version; the first time, make it."""
    with explained():
        settings = start("db")
        from communication.settings import redacted
        from communication.store import upgrade as upgrade_schema

        upgrade_schema(settings.database_url)
        click.echo(f"The schema of {redacted(settings.database_url)} is up to date.")


main.add_command(keys)
main.add_command(forget)
main.add_command(purge)
main.add_command(templates)
main.add_command(bounce)
main.add_command(channels)
main.add_command(suppression)
main.add_command(token)


def _share_metrics(settings: Settings) -> None:
    """All processes of this machine count into one folder, named before prometheus is imported."""
    folder = (settings.data / "metrics").resolve()
    folder.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", str(folder))


@main.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def vapid(file: Path) -> None:
    """Show the public key that browsers subscribe with; makes the private one if FILE is not there.

    FILE is what TIDINGS_PUSH_URL=webpush:///FILE names.
    """
    from channels.push.key_file import make_p256_key, read_p256_key
    from channels.push.vapid import public_key

    try:
        if not file.exists():
            make_p256_key(file)
        click.echo(public_key(read_p256_key(file)))
    except (OSError, ValueError) as error:
        raise click.ClickException(f"{file} {getattr(error, 'strerror', None) or error}") from error


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
