"""Two worker processes that answer with their pid.

`python -m tests.integration.naming_server HOST:PORT PATIENCE`: so many seconds a connection is left
to the process that has fewer.
"""

import os
import sys
from typing import Any

from falcon import App, Request, Response

from communication.settings import load_settings
from tidings.http import worker
from tidings.http.serve import Server


class Pid:
    def on_get(self, _req: Request, resp: Response) -> None:
        resp.text = str(os.getpid())


def make_app() -> App[Any, Any]:
    app: App[Any, Any] = App()
    app.add_route("/", Pid())
    return app


if __name__ == "__main__":
    worker.PATIENCE = float(sys.argv[2])
    Server(load_settings(bind=sys.argv[1], api_workers=2), make_app).run()
