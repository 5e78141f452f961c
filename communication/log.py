"""Structured logs: one JSON object a line on stderr, from our code and from the libraries alike."""

import logging
import sys
from typing import Any, cast

import orjson
import structlog
from structlog.typing import EventDict

from communication.privacy.hiding import hide_in, hider

_SHARED: tuple[structlog.typing.Processor, ...] = (
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
)

_LIBRARIES = {
    "alembic": logging.WARNING,
    "dramatiq": logging.WARNING,
    # It warns of one worker per lane in a process; that is on purpose (worker/main.py).
    "dramatiq.broker": logging.ERROR,
    # At debug it writes down the headers: tokens of devices, and our own.
    "hpack": logging.INFO,
    # A broker that is away is told of by the relay, once; pika tells it in hundreds of lines.
    "pika": logging.CRITICAL,
}


def configure_logging(level: str, *, process: str, hide_with: str = "") -> None:
    """Call once in each process. `process` names it in every line: `api`, `relay`, `work`.

    Addresses of people are hidden; with the same `hide_with`, alike in all processes.
    """
    numeric = getattr(logging, level.upper())

    def add_process(_logger: Any, _method: str, line: EventDict) -> EventDict:
        line["process"] = process
        return line

    hide = hider(hide_with.encode())

    def hide_people(_logger: Any, _method: str, line: EventDict) -> EventDict:
        hide_in(hide, cast("dict[str, Any]", line))
        return line

    shared = (add_process, *_SHARED, hide_people)
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer(serializer=_to_json)],
        wrapper_class=structlog.make_filtering_bound_logger(numeric),
        # Not through the standard library: a line for every accepted message must be cheap.
        logger_factory=structlog.BytesLoggerFactory(sys.stderr.buffer),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(serializer=_to_text),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(numeric)
    for library, least in _LIBRARIES.items():
        logging.getLogger(library).setLevel(max(numeric, least))


def _to_json(line: Any, **_options: Any) -> bytes:
    return orjson.dumps(line, default=repr)


def _to_text(line: Any, **_options: Any) -> str:
    return _to_json(line).decode()
