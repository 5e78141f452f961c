"""Everything in one process: the embedded mode."""

import fcntl
import os
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from threading import Thread
from typing import IO, Any

import click
from falcon import App

from api.app import create_app
from api.jwks import open_keys
from communication import due
from communication.clock import now
from communication.errors import SettingsError, all_made
from communication.lanes import CHANNELS, all_queues
from communication.model import DELIVERY
from communication.redis_client import open_redis
from communication.settings import Settings, redacted
from communication.store import Store, open_store, upgrade
from tidings.http.serve import GRACE, Server, check_address
from worker.broker import MemoryQueues
from worker.hubs.lease import free_all_hubs
from worker.main import Workers, open_medium, open_queues, open_relay

PREDECESSOR_ENDS_IN = GRACE + 5.0
"""Seconds that the child of a killed predecessor may take to notice, and to drain."""


def run_all(settings: Settings) -> None:
    """Migrate, then serve, relay and work until told to stop."""
    _check(settings)
    lock = _lock_data_folder(settings.data)
    check_address(settings.bind)
    upgrade(settings.database_url)
    house = _House(settings)
    try:
        Server(
            settings,
            house.open,
            workers=1,
            tell_ready=lambda: click.echo(_welcome(settings)),
            worker_exit=lambda _server, _worker: house.close(),
        ).run()
    finally:
        lock.close()


class _House:
    """Relay, workers and API in gunicorn's one worker process: opened there, after the fork."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._close: list[Any] = []

    def open(self) -> App[Any, Any]:
        """Start relay and workers, and return the app."""
        settings = self._settings
        store = open_store(
            settings.database_url,
            secret_keys=settings.secret_keys,
            connections=settings.api_threads + settings.worker_threads * 3 + 12,
        )
        broker = open_queues(settings)
        if isinstance(broker, MemoryQueues):
            _free_leases(store)
        redis = open_redis(settings)
        workers = Workers(store, settings, broker, all_queues(), redis)
        relay = open_relay(store, settings, broker, redis)
        thread = Thread(target=relay.run, name="relay")
        broker.emit_after("process_boot")
        workers.start()
        thread.start()
        self._close = [relay.stop, thread.join, workers.stop, store.close]
        return create_app(store, settings, redis=redis)

    def close(self) -> None:
        """Drain: what is in flight is recorded before the process ends."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT):
            signal.signal(number, signal.SIG_IGN)
        for step in self._close:
            step()


def _check(settings: Settings) -> None:
    """SettingsError before anything is started, not from gunicorn's child."""
    media = (partial(_check_channel, settings, medium) for medium in CHANNELS)
    checks: list[Callable[[], object]] = [partial(open_keys, settings), *media]
    all_made(checks)


def _check_channel(settings: Settings, medium: str) -> None:
    open_medium(settings, medium).close()


def _free_leases(store: Store) -> None:
    """Nobody else works on this database: what a killed predecessor held is due at once."""
    with store.write() as connection:
        due.free_all(connection, DELIVERY, now=now())
        free_all_hubs(connection)


def _lock_data_folder(folder: Path) -> IO[str]:
    """One `tidings up` per data folder. The lock ends with the last process that holds it."""
    lock = (folder / "lock").open("a+")
    deadline = time.monotonic() + PREDECESSOR_ENDS_IN
    while not _locked(lock):
        if _holder_lives(lock) or time.monotonic() > deadline:
            raise SettingsError(
                f"another `tidings up` uses the folder {folder}; stop it, or choose another "
                "folder with --data"
            )
        time.sleep(0.1)
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock


def _locked(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder_lives(lock: IO[str]) -> bool:
    """Whether it is no orphan of a killed `tidings up` that has the lock."""
    lock.seek(0)
    pid = lock.read()
    return pid.isdigit() and Path(f"/proc/{pid}").exists()


def _welcome(settings: Settings) -> str:
    outbox = (settings.data / "outbox").resolve()
    ways = "\n".join(
        f"  {medium:<6}→ "
        + (
            f"{outbox / medium}/"
            if settings.channel_url(medium) == "folder://"
            else redacted(settings.channel_url(medium))
        )
        for medium in CHANNELS
    )
    return f"Tidings serves http://{settings.bind} (stop it with Ctrl-C). Messages go to\n{ways}"
