"""gunicorn, set up from our settings instead of from its command line."""

import resource
import signal
import socket
from collections.abc import Callable
from typing import Any

from falcon import App
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger

from communication.errors import SettingsError
from communication.settings import Settings
from tidings.http.worker import HttpWorker, Seats

GRACE = 35
"""Seconds that requests and sends in flight have to end when we are told to stop."""

MOST_CONNECTIONS = 4096
"""Of each worker process. Beyond them, a new one takes the place of the one idle longest."""
LONGEST_LINE = 8190
"""Bytes of method and URL: gunicorn's own limit is short for a list of addresses to find."""


class QuietLogger(Logger):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn's messages go the way of all others; requests are not logged one by one."""

    def setup(self, _cfg: Any) -> None:
        """Leave handlers and formats to communication.log."""
        self.error_log.propagate = True
        self.access_log.disabled = True


def _leave_ctrl_c_to_the_master(_worker: Any) -> None:
    """A terminal sends it to all processes; the master passes it on, as SIGTERM."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


_CONSTANT = {
    "graceful_timeout": GRACE,
    "timeout": 120,
    "keepalive": 30,
    "permit_unconventional_http_method": True,  # they get the 405 of their contract
    "limit_request_line": LONGEST_LINE,
    # A client behind a proxy on this machine would be believed: by default its header
    # SCRIPT_NAME leads past what the proxy keeps to itself.
    "forwarded_allow_ips": "",
    "forwarder_headers": "",
    "proc_name": "tidings",
    "control_socket_disable": True,
    "logger_class": QuietLogger,
    "post_worker_init": _leave_ctrl_c_to_the_master,
}


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """Serves the app that `make_app` builds in each worker process, after the fork."""

    def __init__(
        self,
        settings: Settings,
        make_app: Callable[[], App[Any, Any]],
        *,
        tell_ready: Callable[[], None] = lambda: None,
        **options: Any,
    ) -> None:
        """`tell_ready` is called when it listens; `options` are gunicorn's, over ours."""
        self._make_app = make_app
        self._tell_ready = tell_ready
        self._options = {
            **_CONSTANT,
            **_options_of(settings),
            "when_ready": self._ready,
            **options,
        }
        super().__init__()

    def load_config(self) -> None:
        """What gunicorn's command line and files would say."""
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> App[Any, Any]:
        """The app of this worker process."""
        return self._make_app()

    def _ready(self, arbiter: Any) -> None:
        # Ctrl-C drains as SIGTERM does; gunicorn would drop the requests in flight.
        signal.signal(signal.SIGINT, lambda _number, frame: arbiter.signal(signal.SIGTERM, frame))
        self._tell_ready()


def _options_of(settings: Settings) -> dict[str, Any]:
    seats = Seats(settings.api_workers)
    ours = {
        "seats": seats,
        "patience": settings.client_patience,
        "max_body": settings.max_body,
        "max_head": settings.max_head,
    }
    return {
        "bind": settings.bind,
        "worker_class": type("Worker", (HttpWorker,), ours),
        "child_exit": lambda _arbiter, worker: seats.leave(worker.place),
        "workers": settings.api_workers,
        "threads": settings.api_threads,
        "worker_connections": _most_connections(),
    }


def _most_connections() -> int:
    """As many as there may be files open: most of them only wait."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 3 * MOST_CONNECTIONS
    soft = max(soft, wanted if hard == resource.RLIM_INFINITY else min(hard, wanted))
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return min(MOST_CONNECTIONS, soft // 3)


def check_address(bind: str) -> None:
    """SettingsError at once, where gunicorn would try again for five seconds."""
    host, _, port = bind.rpartition(":")
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            host.strip("[]"), int(port), type=socket.SOCK_STREAM
        )[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise SettingsError(
            f"TIDINGS_BIND: can't listen on {bind}: {error.strerror}; choose another "
            "address with --bind"
        ) from error
