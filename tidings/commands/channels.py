"""`tidings channels`: what can be sent through, and a message to try it (docs/channels.md)."""

import click

from tidings.explained import explained
from tidings.start import start


@click.group(invoke_without_command=True)
@click.pass_context
def channels(context: click.Context) -> None:
    """Show the schemes that there are, and the providers in use with their health."""
    if context.invoked_subcommand is None:
        with explained():
            from tidings.commands.channel_report import report

            for line in report(start("channels")):
                click.echo(line)


@channels.command("test")
@click.argument("url", required=False)
@click.option("--to", required=True, metavar="ADDRESS", help="Email, phone number or app user id.")
@click.option(
    "--medium",
    type=click.Choice(["email", "sms", "push"]),
    help="Default: what ADDRESS looks like.",
)
@click.option("--tenant", default="default", show_default=True, help="Whose devices, for push.")
@click.option(
    "--wait", default=10.0, show_default=True, metavar="SECONDS", help="For the receipt, if any."
)
@explained()
def send_test(url: str | None, to: str, medium: str | None, tenant: str, wait: float) -> None:
    """Send one message through URL, or through the channel in use, and say what came of it."""
    from tidings.commands.channel_trial import Trial, medium_of

    settings = start("channels")
    trial = Trial(settings, url, medium or medium_of(to), tenant=tenant)
    click.echo(trial.send(to, wait=wait))
