"""Structured logs: readable in a terminal, one JSON object per line in production.

Log what an operator needs to find a fault. Never log a password, a token or the text of a task.
"""

import logging
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any, cast

import orjson
import structlog
from pydantic import SecretStr
from structlog.contextvars import merge_contextvars
from structlog.processors import JSONRenderer, TimeStamper, add_log_level, format_exc_info
from structlog.stdlib import ProcessorFormatter
from structlog.typing import EventDict, Processor, WrappedLogger

from taskwell.database_url import without_passwords
from taskwell.errors import AppError
from taskwell.observability import tracing
from taskwell.observability.metrics import UNEXPECTED
from taskwell.settings import Settings

MASK = "***"
STDOUT = 1
LONGEST_CAUSE = 200

log = structlog.get_logger("taskwell.http")


def configure(settings: Settings) -> None:
    """Sends all logs of this process, also uvicorn's, to standard output in one shape."""
    level = logging.getLevelNamesMapping()[settings.log_level]
    is_json, stdout = writes_json(settings), cast(Any, _Stdout())
    first: list[Processor] = [merge_contextvars, add_log_level, TimeStamper("iso", utc=True), _count]
    if settings.sentry_dsn is not None:
        first.append(_report)
    renderers = _JSON if is_json else _readable()
    structlog.configure(
        processors=[*first, *renderers],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=(structlog.BytesLoggerFactory if is_json else structlog.WriteLoggerFactory)(stdout),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stdout)
    last: list[Processor] = [ProcessorFormatter.remove_processors_meta, *renderers, _text]
    handler.setFormatter(ProcessorFormatter(foreign_pre_chain=first, processors=last))
    logging.basicConfig(handlers=[handler], level=max(level, logging.WARNING), force=True)


def writes_json(settings: Settings) -> bool:
    return settings.log_format == "json" or (settings.log_format == "auto" and settings.is_production)


def effective(settings: Settings) -> dict[str, Any]:
    """The settings to log: all as JSON; in a terminal the database and those that differ from the default."""
    is_whole = writes_json(settings)
    shown = {}
    for name, field in type(settings).model_fields.items():
        value = getattr(settings, name)
        default = field.get_default(call_default_factory=True, validated_data=settings.__dict__)
        if is_whole or value != default:
            shown[name] = MASK if isinstance(value, SecretStr) else value
    return shown | {"database_url": without_passwords(settings.database_url)}


def request_writer(settings: Settings) -> Callable[..., None]:
    """A function that writes the log line of an answered request, from keyword arguments."""
    if settings.log_level not in {"DEBUG", "INFO"}:
        return _write_nothing
    return _write_request_json if writes_json(settings) else partial(log.info, "request")


def _write_request_json(**fields: object) -> None:
    # structlog would take 27 microseconds instead of 7, and a read of one task takes 110 (decision 0015).
    line = {"timestamp": datetime.now(UTC), "level": "info", "event": "request"} | fields
    _Stdout().write(orjson.dumps(line, option=orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE))


def _write_nothing(**_: object) -> None:
    pass


_told_at: dict[tuple[type, type], float] = {}


def write_unserved(error: AppError) -> None:
    """Logs why a request got no service, once a second for each kind, since then all requests fail."""
    kind, at = (type(error), type(error.__cause__)), time.monotonic()
    if at - _told_at.get(kind, float("-inf")) >= 1:
        _told_at[kind] = at
        log.warning("not served", reason=error.detail, cause=cause_of(error))


def cause_of(error: AppError) -> str | None:
    """The message of the driver or the system, without users' data."""
    # A ValueError quotes the value, and some errors of asyncpg are one. Later lines of PostgreSQL may quote a row.
    cause = error.__cause__
    if cause is None:
        return None
    words = "" if isinstance(cause, ValueError) else str(cause).partition("\n")[0][:LONGEST_CAUSE]
    return f"{type(cause).__name__}: {words}".removesuffix(": ")


class _Stdout:
    """Writes a line in one call, so that lines of several processes never mix. Ignores a failed write."""

    def write(self, line: str | bytes) -> None:
        with suppress(OSError):
            os.write(STDOUT, line if isinstance(line, bytes) else line.encode("utf-8", "replace"))

    def flush(self) -> None:
        """Does nothing: nothing is buffered."""


def _count(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    if event.get("exc_info"):
        UNEXPECTED.inc()
    return event


def _report(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Reports an event that has a traceback, since it is an unexpected error."""
    given = event.get("exc_info")
    error = given if isinstance(given, BaseException) else given[1] if isinstance(given, tuple) else sys.exception()
    if given and error is not None:
        tracing.report(error, event.get("request_id"))
    return event


def _text(_: WrappedLogger, __: str, line: Any) -> str:
    return line.decode() if isinstance(line, bytes) else str(line)


_JSON: tuple[Processor, ...] = (
    format_exc_info,
    JSONRenderer(orjson.dumps, default=str, option=orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS),
)


def _readable() -> tuple[Processor, ...]:
    plain = structlog.dev.plain_traceback
    return (structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty(), exception_formatter=plain),)
