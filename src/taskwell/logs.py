"""Structured logs: readable in a terminal, one JSON object a line in production.

What may be logged: what an operator needs to find a fault. Never a password, a token or a task's text.
"""

import logging
import os
import sys
import time
from collections.abc import Callable, MutableMapping
from contextlib import suppress
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

import orjson
import structlog
from pydantic import SecretStr
from structlog.typing import EventDict, Processor, WrappedLogger

from taskwell import tracing
from taskwell.errors import AppError
from taskwell.settings import Settings
from taskwell.telemetry import UNEXPECTED

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
"""That of the request that is being answered; every line has it."""

MASK = "***"
STDOUT = 1
LONGEST_CAUSE = 200
LEVELS = {"exception": "error", "warn": "warning"}

_log = structlog.get_logger("taskwell.http")


def configure(settings: Settings) -> None:
    """Sends every log of this process, the server's own included, to standard output in one shape."""
    global write_request  # noqa: PLW0603  # chosen once, so that a request's line need not ask
    level = logging.getLevelNamesMapping()[settings.log_level]
    renderers = _JSON if writes_json(settings) else _readable()
    reporters: list[Processor] = [_count, *([_report] if settings.sentry_dsn is not None else [])]
    structlog.configure(
        processors=[_stamp, *reporters, *renderers],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: _Output(),
        cache_logger_on_first_use=True,
    )
    handler = _Handler()
    first: list[Processor] = [_stamp, *reporters]
    meta = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=first, processors=[meta, *renderers, _text])
    )
    logging.basicConfig(handlers=[handler], level=max(level, logging.WARNING), force=True)
    if writes_json(settings):
        write_request = _write_request_json if level <= logging.INFO else _write_nothing


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
    url = settings.database
    query = {name: MASK if "pass" in name.lower() else value for name, value in url.query.items()}
    return shown | {"database_url": url.set(query=query).render_as_string(hide_password=True)}


def _write_request_readably(**fields: object) -> None:
    _log.info("request", **fields)


def _write_request_json(**fields: object) -> None:
    """The same without structlog: measured, 3 microseconds instead of 11."""
    line = {"timestamp": datetime.now(UTC), "level": "info", "event": "request"} | fields
    _write(orjson.dumps(line, option=orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE))


def _write_nothing(**_: object) -> None:
    pass


write_request: Callable[..., None] = _write_request_readably
"""Writes the line of a request that has been answered."""


_told_at: dict[tuple[type, type], float] = {}


def write_unserved(error: AppError) -> None:
    """Tells why something could not be done, once a second for each kind: then everybody's request fails alike."""
    kind, at = (type(error), type(error.__cause__)), time.monotonic()
    if at - _told_at.get(kind, float("-inf")) >= 1:
        _told_at[kind] = at
        _log.warning("not served", reason=error.detail, cause=cause_of(error))


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


def _write(line: bytes) -> None:
    """One call, so that the lines of several processes never mix; a log that cannot be written fails nobody."""
    with suppress(OSError):
        os.write(STDOUT, line)


class _Output:
    """Where structlog's lines go."""

    def msg(self, line: str | bytes) -> None:
        _write((line if isinstance(line, bytes) else line.encode("utf-8", "replace")) + b"\n")

    log = debug = info = warn = warning = error = exception = critical = fatal = msg


class _Handler(logging.Handler):
    """Where the standard library's lines go."""

    def emit(self, record: logging.LogRecord) -> None:
        _Output().msg(self.format(record))


def _stamp(_: WrappedLogger, name: str, event: EventDict) -> EventDict:
    """Puts first what every line has."""
    given: MutableMapping[str, Any] = event
    stamped = {"timestamp": datetime.now(UTC).isoformat()[:-6] + "Z", "level": LEVELS.get(name, name)}
    if (own_id := request_id.get()) is not None:
        stamped["request_id"] = own_id
    return stamped | {"event": given.pop("event")} | {**given}


def _count(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    if event.get("exc_info"):
        UNEXPECTED.add()
    return event


def _report(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Whatever has a traceback was expected by nobody."""
    given = event.get("exc_info")
    error = given if isinstance(given, BaseException) else given[1] if isinstance(given, tuple) else sys.exception()
    if given and error is not None:
        tracing.report(error, event.get("request_id"))
    return event


def _json(_: WrappedLogger, __: str, event: EventDict) -> bytes:
    return orjson.dumps(event, default=str, option=orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS)


def _text(_: WrappedLogger, __: str, line: Any) -> str:
    return line.decode() if isinstance(line, bytes) else str(line)


_JSON: tuple[Processor, ...] = (structlog.processors.format_exc_info, _json)


def _readable() -> tuple[Processor, ...]:
    plain = structlog.dev.plain_traceback
    return (structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty(), exception_formatter=plain),)
