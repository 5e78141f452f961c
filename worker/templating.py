"""Deliveries of messages that name a template, rendered a batch at a time."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import structlog

from communication import metrics
from communication.catalogue.catalogue import (
    BrokenTemplate,
    Catalogue,
    Medium,
    Snapshot,
    TemplateNotFound,
    open_catalogue,
)
from communication.errors import DeliveryError, PermanentDeliveryError, TransientDeliveryError
from communication.lanes import LANES
from communication.settings import Settings
from worker.render import Job, subject_of
from worker.templates.renderer import NotRendered, Renderer, Result
from worker.templates.wire import RenderJob

Ready = Callable[[Job], None]

log = structlog.get_logger("worker.templating")


class Templating:
    """Shared by all batches of a worker process."""

    def __init__(self, catalogue: Catalogue, renderer: Renderer, *, threads: int) -> None:
        self._catalogue = catalogue
        self._renderer = renderer
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="render")

    def begin(self, jobs: Sequence[Job], ready: Ready) -> None:
        """Render in the background; `ready` is called once with each job, rendered or failed."""
        self._pool.submit(self._render, jobs, ready)

    def close(self) -> None:
        """Let go of threads and processes, after the last batch."""
        self._pool.shutdown()
        self._renderer.close()

    def _render(self, jobs: Sequence[Job], ready: Ready) -> None:
        waiting = {job.delivery_key: job for job in jobs}

        def done(key: int, result: Result, version: str | None = None) -> None:
            job = waiting.pop(key)
            if isinstance(result, NotRendered):
                metrics.RENDERS_FAILED.labels(job.tenant, str(job.document["template"])).inc()
            ready(replace(job, rendered=result, template_version=version))

        try:
            render_jobs = self._render_jobs(jobs, done)
            self._renderer.render(
                render_jobs, lambda one, result: done(one.key, result, one.snapshot.version)
            )
        except Exception as error:
            log.exception("rendering failed")
            for key in list(waiting):
                done(key, TransientDeliveryError(f"unexpected {type(error).__name__}"))

    def _render_jobs(
        self, jobs: Iterable[Job], done: Callable[[int, Result], None]
    ) -> list[RenderJob]:
        """What can be rendered; the rest has failed. All of a template are of one version."""
        by_template: dict[tuple[str, str], list[Job]] = defaultdict(list)
        for job in jobs:
            by_template[str(job.document["template"]), job.tenant].append(job)
        found: list[RenderJob] = []
        for (name, tenant), ones in by_template.items():
            try:
                snapshot = self._catalogue.snapshot(name, tenant)
            except (BrokenTemplate, TemplateNotFound) as error:
                for job in ones:
                    done(job.delivery_key, _failed(error))
            else:
                found += [_render_job(job, snapshot) for job in ones]
        return found


def open_templating(settings: Settings) -> Templating:
    """The templates of the settings, and processes to render them in."""
    renderer = Renderer(
        processes=settings.render_processes,
        seconds=settings.render_seconds,
        memory=settings.render_memory * 2**20,
    )
    catalogue = open_catalogue(settings, trial=renderer.trial)
    return Templating(catalogue, renderer, threads=settings.worker_threads * len(LANES))


def _render_job(job: Job, snapshot: Snapshot) -> RenderJob:
    return RenderJob(
        key=job.delivery_key,
        group=job.message_key,
        snapshot=snapshot,
        medium=Medium(job.channel),
        locale=job.document.get("locale") or job.receiver.locale,
        values=job.characteristics,
        receiver={"name": job.receiver.name, "id": job.receiver_id},
        subject=subject_of(job),
    )


def _failed(error: BrokenTemplate | TemplateNotFound) -> DeliveryError:
    """A broken template stays so; one that is not there may be on its way, in a deployment."""
    if isinstance(error, BrokenTemplate):
        return PermanentDeliveryError(str(error))
    return TransientDeliveryError(str(error))
