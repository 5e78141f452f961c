"""The commands `tidings templates …`. Each imports what it needs when it runs."""

import sys
from pathlib import Path

import click

from communication.errors import TidingsError
from communication.log import configure_logging
from communication.settings import load_settings

_FOLDER = click.option(
    "--templates",
    "folder",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The templates folder; default: the setting TIDINGS_TEMPLATES, or ./templates.",
)
_TENANT = click.option(
    "--tenant",
    default="",
    metavar="TENANT",
    help="As this tenant sees the templates, whose own files lie over those that all share.",
)


class _Explained(click.Group):
    """What an author can mend is said in a line, without a traceback."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except TidingsError as error:
            click.echo(f"tidings: {error}", err=True)
            sys.exit(1)


@click.group(cls=_Explained)
def templates() -> None:
    """What messages say: check it, preview it, begin something new."""


@templates.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@_FOLDER
@_TENANT
@click.option("--json", "as_json", is_flag=True, help="Print the findings for programs.")
@click.option(
    "--sms-segments",
    default=3,
    show_default=True,
    type=click.IntRange(min=1),
    metavar="N",
    help="Most segments that an SMS may take; each is paid for.",
)
@click.option(
    "--locale",
    "locales",
    multiple=True,
    metavar="LOCALE",
    help="A language that every template must have, such as sv; may be given again.",
)
@click.option("--strict", is_flag=True, help="Exit with status 1 for warnings too.")
def check(
    *,
    names: tuple[str, ...],
    folder: Path | None,
    tenant: str,
    as_json: bool,
    sms_segments: int,
    locales: tuple[str, ...],
    strict: bool,
) -> None:
    """Find what is wrong with templates, before a customer does.

    Each is rendered with its examples, in every language, for SMS, email and push; without
    a NAME, those of tenants too. The exit status is 1 if there are errors.
    """
    from tidings.templates import report
    from tidings.templates.check import Wishes
    from tidings.templates.checking import check_views, views
    from tidings.templates.findings import Severity
    from tidings.templates.trial import Limits, bounded

    settings = load_settings(templates=folder)
    configure_logging("critical", process="templates")
    chosen = views(settings.templates, names, tenant)
    wishes = Wishes(
        limits=Limits(segments=sms_segments, simplified=settings.sms_simplify),
        locales=locales,
        default_locale=settings.locale,
    )
    with bounded() as render:
        findings = check_views(chosen, wishes, render)
    if as_json:
        click.echo(report.as_json(findings, [place for one in chosen for place in one.places]))
    else:
        count = sum(len(one.names) for one in chosen)
        click.echo(report.as_text(findings, count, settings.templates))
    if any(strict or one.severity is Severity.ERROR for one in findings):
        sys.exit(1)


@templates.command()
@click.argument("name")
@_FOLDER
@click.option("--tenant", default="", metavar="TENANT", help="For this tenant alone.")
def new(name: str, folder: Path | None, tenant: str) -> None:
    """Make a template NAME that could be sent as it is, to be rewritten."""
    from tidings.templates.new import make_template

    made = make_template(load_settings(templates=folder).templates, name, tenant=tenant)
    rest = f"{name} --tenant {tenant}" if tenant else name
    click.echo(f"Made {made[0].parent} with")
    for path in made:
        click.echo(f"  {path.name}")
    click.echo(
        f"\nChange the words in these files, then look at it:  tidings templates preview {rest}"
        f"\nand have it checked:                               tidings templates check {rest}"
    )


@templates.command()
@click.argument("name", required=False)
@_FOLDER
@_TENANT
@click.option(
    "--bind",
    default="127.0.0.1:8081",
    show_default=True,
    metavar="HOST:PORT",
    help="Where to listen; only on this machine.",
)
def preview(name: str | None, folder: Path | None, tenant: str, bind: str) -> None:
    """See in a browser what a customer would get, while you write.

    The page follows each file that you save. NAME: the template to begin with.
    """
    from tidings.templates.check import template_names
    from tidings.templates.checking import view_of
    from tidings.templates.preview.server import run_preview

    settings = load_settings(templates=folder, bind=bind)
    configure_logging("critical", process="preview")
    seen = view_of(settings.templates, tenant)
    template_names(seen, [name] if name else [])
    run_preview(settings, seen, name)
