"""Serving the preview until the author has had enough."""

from typing import Any

import click
from falcon import App

from communication.catalogue.folder import Folder
from communication.settings import Settings
from tidings.http.serve import Server, check_address
from tidings.templates.preview.app import create_preview
from worker.templates.renderer import Renderer

_THREADS = 24
"""Each page that is looked at holds one while it waits for a change."""
_GRACE = 1
_RENDERERS = 2
"""So that a template which takes too long does not hold up the others."""


def run_preview(settings: Settings, folder: Folder, name: str | None) -> None:
    """Serve until told to stop; `name` is the template whose address is told. SettingsError."""
    check_address(settings.bind)
    address = f"http://{settings.bind}/" + (f"templates/{name}" if name else "")

    def tell() -> None:
        click.echo(f"Open {address} in a browser. Ctrl-C ends the preview.")

    def make_app() -> App[Any, Any]:
        renderer = Renderer(
            processes=_RENDERERS,
            seconds=settings.render_seconds,
            memory=settings.render_memory * 2**20,
        )
        return create_preview(settings, folder, renderer.render)

    Server(
        settings,
        make_app,
        tell_ready=tell,
        workers=1,
        threads=_THREADS,
        graceful_timeout=_GRACE,
        limit_request_line=0,
    ).run()
