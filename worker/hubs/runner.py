"""Hubs, each served on threads of its own: a slow or dead one holds up nobody else."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import BoundedSemaphore, Event

import structlog

from communication.errors import ServiceUnavailable
from communication.http.client import Guard, HttpClient
from communication.settings import Settings
from communication.store import Store
from worker.hubs.health import Patience
from worker.hubs.post import Poster
from worker.hubs.recorder import Recorder
from worker.hubs.schedule import Schedule
from worker.hubs.visit import Means, Visit

_FAILING_SHARE = 4
MOST_ANSWERED = 16 * 1024
"""Bytes of a listener's answer that are read."""

log = structlog.get_logger(part="worker.hubs")


class HubRunner:
    """Serves the hubs that the relay hands over; shared by the threads of a worker process."""

    def __init__(self, store: Store, settings: Settings, poster: Poster) -> None:
        hubs, each = settings.callback_hubs, settings.callback_concurrency
        failing = max(1, hubs // _FAILING_SHARE)
        self._stopping = Event()
        self._room = BoundedSemaphore(hubs)
        self._room_for_failing = BoundedSemaphore(failing)
        self._visits = ThreadPoolExecutor(hubs + failing, thread_name_prefix="hub")
        self._posts = ThreadPoolExecutor((hubs + failing) * each, thread_name_prefix="post")
        self._poster = poster
        self._means = Means(
            store=store,
            attempt=poster.attempt,
            pool=self._posts,
            concurrency=each,
            batch=settings.batch,
            lease=timedelta(seconds=settings.lease),
            recorder=Recorder(store, _patience(settings)),
            stopping=self._stopping,
        )

    def begin(self, hub_key: int, relayed: str, *, failing: bool) -> None:
        """Begin to serve a hub that is leased under `relayed`, once there is room for one more.

        Returns at once then: whatever happens, the lease brings the hub back. Failing hubs,
        which may keep their threads waiting for long, have room of their own; while that is
        full, one more is left to come back.
        """
        room = self._room_for_failing if failing else self._room
        if not room.acquire(blocking=not failing):
            return
        try:
            self._visits.submit(self._serve, Visit(self._means, hub_key), relayed, room)
        except BaseException:
            room.release()
            raise

    def _serve(self, visit: Visit, relayed: str, room: BoundedSemaphore) -> None:
        try:
            visit.run(relayed)
        except ServiceUnavailable as error:
            log.warning("a hub can't be served now", why=error.message)
        except Exception:
            # Nobody looks at the visit's future: unlogged, the fault would never be seen.
            log.exception("serving a hub stumbled")
        finally:
            room.release()

    def stop(self) -> None:
        """Begin nothing more: what is in flight ends and is recorded."""
        self._stopping.set()

    def close(self) -> None:
        """Let go of threads and connections, after the last visit."""
        self._visits.shutdown()
        self._posts.shutdown()
        self._poster.close()


def _patience(settings: Settings) -> Patience:
    return Patience(
        schedule=Schedule(waits=settings.callback_waits, cap=settings.retry_cap),
        gives_up_after=timedelta(seconds=settings.callback_disable_after),
    )


def open_hub_runner(store: Store, settings: Settings) -> HubRunner:
    """One that calls only where the settings let it."""
    client = HttpClient(
        Guard.of(settings.callback_allow),
        timeout=settings.callback_timeout,
        connections_per_host=settings.callback_concurrency,
        max_body=MOST_ANSWERED,
    )
    return HubRunner(store, settings, Poster(client))
