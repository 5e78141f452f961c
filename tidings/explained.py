"""How commands fail: what the operator can mend is said in a line, without a traceback."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from communication.errors import TidingsError


@contextmanager
def explained() -> Iterator[None]:
    """Print a TidingsError's text and end with status 1."""
    try:
        yield
    except TidingsError as error:
        click.echo(f"tidings: {error}", err=True)
        sys.exit(1)
