"""Celery with one task per delivery, set up for throughput.

`python -m bench.celery_pipeline` is one process of its workers. Threads, because with as many
tasks at once they did half as much again as the prefork pool, and more.
"""

import os
from collections.abc import Iterable

from celery import Celery

from bench.one_by_one import deliver_one

BROKER = "BENCH_BROKER_URL"
QUEUE = "bench-celery"
PROCESSES, THREADS = 2, 4
SETTINGS = f"{PROCESSES} processes of {THREADS} threads, acks_late, prefetch 64 per thread"
COMMAND = ("-m", "bench.celery_pipeline")
_PREFETCH = 64


def open_app(broker_url: str) -> Celery:
    """The application with its one task, on this broker."""
    app = Celery("bench", broker=broker_url)
    app.conf.update(
        task_default_queue=QUEUE,
        task_acks_late=True,
        task_ignore_result=True,
        worker_prefetch_multiplier=_PREFETCH,
        worker_disable_rate_limits=True,
        worker_hijack_root_logger=False,
    )
    app.task(deliver_one, name="deliver")
    return app


def enqueue(broker_url: str, keys: Iterable[int]) -> None:
    """A task for each key."""
    with open_app(broker_url) as app, app.producer_pool.acquire(block=True) as producer:
        for key in keys:
            app.tasks["deliver"].apply_async((key,), producer=producer)


def run_worker() -> None:
    """Work until killed."""
    app = open_app(os.environ[BROKER])
    name = f"--hostname=bench{os.getpid()}@%h"
    quiet = ("--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel=ERROR")
    app.worker_main(["worker", "--pool=threads", f"--concurrency={THREADS}", name, *quiet])


if __name__ == "__main__":
    run_worker()
