"""Tells what it was sent: `python -m tests.integration.echo_server HOST:PORT PATIENCE`."""

import hashlib
import sys
from threading import Event
from typing import Any

from falcon import App, Request, Response

from communication.settings import load_settings
from tidings.http.serve import Server


class Echo:
    def on_post(self, req: Request, resp: Response) -> None:
        body = req.stream.read() if req.content_length is None else req.bounded_stream.read()
        resp.text = f"{len(body)} {hashlib.sha256(body).hexdigest()}"

    def on_get(self, req: Request, resp: Response) -> None:
        resp.data = b"x" * req.get_param_as_int("size", default=2)


class Page:
    """Lists, which are not answered before somebody posts."""

    def __init__(self) -> None:
        self._ready = Event()

    def on_get(self, _req: Request, resp: Response) -> None:
        resp.text = str(self._ready.wait(timeout=300))

    def on_post(self, _req: Request, _resp: Response) -> None:
        self._ready.set()


def make_app() -> App[Any, Any]:
    app: App[Any, Any] = App()
    app.add_route("/", Echo())
    app.add_route("/communicationMessage", Page())
    return app


if __name__ == "__main__":
    settings = load_settings(
        bind=sys.argv[1],
        api_workers=1,
        api_threads=2,
        client_patience=float(sys.argv[2]),
        max_body=1_000_000,
        max_head=16_384,
    )
    Server(settings, make_app).run()
