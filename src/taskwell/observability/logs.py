"""Structured logs: readable in a terminal, one JSON object a line in production.

What may be logged: what an operator needs to find a fault. Never a password, a token or a task's text.
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
    """Sends every log of this process, the server's own included, to standard output in one shape."""
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
    """The settings as they may be logged: all as JSON, in a terminal the database and what is not as by default."""
    is_whole = writes_json(settings)
    shown = {}
    for name, field in type(settings).model_fields.items():
        value = getattr(settings, name)
        default = field.get_default(call_default_factory=True, validated_data=settings.__dict__)
        if is_whole or value != default:
            shown[name] = MASK if isinstance(value, SecretStr) else value
    return shown | {"database_url": without_passwords(settings.database_url)}


def request_writer(settings: Settings) -> Callable[..., None]:
    """The function that writes the line of a request that has been answered, from keyword arguments."""
    if settings.log_level not in {"DEBUG", "INFO"}:
        return _write_nothing
    return _write_request_json if writes_json(settings) else partial(log.info, "request")


def _write_request_json(**fields: object) -> None:
    # Not by structlog: 7 microseconds instead of 27, of the 110 in which one task is read (decision 0015).
    line = {"timestamp": datetime.now(UTC), "level": "info", "event": "request"} | fields
    _Stdout().write(orjson.dumps(line, option=orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE))


def _write_nothing(**_: object) -> None:
    pass


_told_at: dict[tuple[type, type], float] = {}


def write_unserved(error: AppError) -> None:
    """Tells why something could not be done, once a second for each kind: then everybody's request fails alike."""
    kind, at = (type(error), type(error.__cause__)), time.monotonic()
    if at - _told_at.get(kind, float("-inf")) >= 1:
        _told_at[kind] = at
        log.warning("not served", reason=error.detail, cause=cause_of(error))


def cause_of(error: AppError) -> str | None:
    """What a driver or the system said, as far as it says nothing of anybody's.

    A ``ValueError`` quotes the value, and one of asyncpg's errors of use is one; PostgreSQL's lines after the first,
    its DETAIL, may quote a row.
    """
    cause = error.__cause__
    if cause is None:
        return None
    words = "" if isinstance(cause, ValueError) else str(cause).partition("\n")[0][:LONGEST_CAUSE]
    return f"{type(cause).__name__}: {words}".removesuffix(": ")


class _Stdout:
    """Writes a line in one call, so that those of several processes never mix; a failure to write fails nobody."""

    def write(self, line: str | bytes) -> None:
        with suppress(OSError):
            os.write(STDOUT, line if isinstance(line, bytes) else line.encode("utf-8", "replace"))

    def flush(self) -> None:
        """Nothing waits here."""


def _count(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    if event.get("exc_info"):
        UNEXPECTED.inc()
    return event


def _report(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Whatever has a traceback was expected by nobody."""
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
