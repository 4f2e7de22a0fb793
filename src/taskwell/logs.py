"""Structured logs: readable in a terminal, one JSON object a line in production.

What may be logged: what an operator needs to find a fault. Never a password, a token or a task's text.
"""

import logging
import logging.config
import sys

import orjson
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from taskwell.settings import Settings

_SHARED: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)


def configure(settings: Settings) -> None:
    """Sends every log of this process, the server's own included, to standard output in one shape."""
    is_json = settings.log_format == "json" or (settings.log_format == "auto" and settings.is_production)
    level = logging.getLevelNamesMapping()[settings.log_level]
    structlog.configure(
        processors=[*_SHARED, *(_JSON if is_json else _READABLE)],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.BytesLoggerFactory() if is_json else structlog.PrintLoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    renderers = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *(_JSON_TEXT if is_json else _READABLE)]
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=_SHARED, processors=renderers))
    logging.basicConfig(handlers=[handler], level=max(level, logging.WARNING), force=True)


def _json(_: WrappedLogger, __: str, event: EventDict) -> bytes:
    return orjson.dumps(event, default=str)


def _json_text(logger: WrappedLogger, name: str, event: EventDict) -> str:
    return _json(logger, name, event).decode()


_JSON: tuple[Processor, ...] = (structlog.processors.dict_tracebacks, _json)
_JSON_TEXT: tuple[Processor, ...] = (structlog.processors.dict_tracebacks, _json_text)
_READABLE: tuple[Processor, ...] = (
    structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty(), exception_formatter=structlog.dev.plain_traceback),
)
