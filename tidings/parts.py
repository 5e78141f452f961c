"""One part per process, on the engines that the settings name; supervisord.conf runs these."""

import signal
from collections.abc import Callable, Sequence
from threading import Event
from types import FrameType

from api.app import create_app
from api.jwks import open_keys
from communication.errors import SettingsError
from communication.redis_client import open_redis
from communication.settings import Settings
from tidings.database import open_database
from tidings.http.serve import Server
from worker.main import Workers, open_queues, open_relay


def run_api(settings: Settings) -> None:
    """Serve the API until told to stop."""
    open_keys(settings)  # what is wrong with them is said before anything is started
    store = open_database(settings, connections=settings.api_threads, keep_plans=True)
    Server(settings, lambda: create_app(store, settings, redis=open_redis(settings))).run()


def run_relay(settings: Settings) -> None:
    """Relay until told to stop."""
    _check_broker(settings)
    store, broker = open_database(settings, connections=5), open_queues(settings)
    relay = open_relay(store, settings, broker, open_redis(settings))
    _when_told(relay.stop)
    relay.run()


def run_workers(settings: Settings, queues: Sequence[str]) -> None:
    """Work for the given queues until told to stop."""
    _check_broker(settings)
    store = open_database(settings, connections=settings.worker_threads * 3 + 4)
    workers = Workers(store, settings, open_queues(settings), queues, open_redis(settings))
    told = Event()
    _when_told(told.set)
    workers.start()
    told.wait()
    workers.stop()


def _check_broker(settings: Settings) -> None:
    """SettingsError for a broker that the other processes can't reach: work would go nowhere."""
    if settings.broker_url.startswith("memory:"):
        raise SettingsError(
            "TIDINGS_BROKER_URL: memory:// is for `tidings up`; relay and workers need amqp://"
        )


def _when_told(stop: Callable[[], None]) -> None:
    """Call `stop` at SIGTERM and SIGINT."""

    def handle(_signal: int, _frame: FrameType | None) -> None:
        stop()

    signal.signal(signal.SIGTERM, handle)
    signal.signal(signal.SIGINT, handle)
