"""Structured logs: one JSON object a line on stderr, from our code and from the libraries alike."""

import logging
import sys

import structlog

_SHARED: tuple[structlog.typing.Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)


def configure_logging(level: str, *, process: str) -> None:
    """Call once in each process. `process` names it in every line: `api`, `relay`, `work`."""
    numeric = getattr(logging, level.upper())
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(numeric),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_SHARED,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(numeric)
    for noisy in ("pika", "dramatiq"):
        logging.getLogger(noisy).setLevel(max(numeric, logging.WARNING))
    # It warns of one worker per lane in a process; that is on purpose (worker/main.py).
    logging.getLogger("dramatiq.broker").setLevel(logging.ERROR)
    structlog.contextvars.bind_contextvars(process=process)
