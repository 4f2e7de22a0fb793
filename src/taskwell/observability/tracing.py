"""Traces with OpenTelemetry, and unexpected errors with Sentry. Both are imported only if a setting turns them on.

OpenTelemetry's instrumentations are not used. Those of ASGI and asyncpg record paths, queries and messages, which may
quote a user's text. That of sqlite3 does not see ``Connection.execute``.
"""

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from taskwell import __version__
from taskwell.settings import InvalidSettings, Settings

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer, TracerProvider
    from sentry_sdk.types import Event, Hint

EXPORTERS = ("OTEL_TRACES_EXPORTER", "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
"""Each of these standard variables turns tracing on. The SDK reads them and all others itself."""

tracer: "Tracer | None" = None
"""None while tracing is off."""


def configure(settings: Settings) -> None:
    """Turns on traces and error reports as the environment says.

    Raises:
        InvalidSettings: a package for it is not installed.
    """
    if _is_wanted(os.environ):
        use(_provider())
    if settings.sentry_dsn is not None:
        _start_sentry(settings)


def use(provider: "TracerProvider | None") -> None:
    """Sends every span to this provider; None turns tracing off."""
    global tracer  # noqa: PLW0603  # the one switch, which each request reads
    tracer = None if provider is None else provider.get_tracer("taskwell", __version__)


def _is_wanted(environment: Mapping[str, str]) -> bool:
    is_off = environment.get("OTEL_SDK_DISABLED", "").lower() == "true"
    return not is_off and any(environment.get(name, "none") not in ("", "none") for name in EXPORTERS)


def _provider() -> "TracerProvider":
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter  # noqa: PLC0415
    except ImportError as error:
        raise InvalidSettings("OTEL_… variables ask for tracing: install taskwell[tracing] or remove them") from error
    os.environ.setdefault("OTEL_SERVICE_NAME", "taskwell")
    provider = TracerProvider(resource=Resource.create({"service.version": __version__}))
    to_console = os.environ.get("OTEL_TRACES_EXPORTER") == "console"
    provider.add_span_processor(BatchSpanProcessor(ConsoleSpanExporter() if to_console else OTLPSpanExporter()))
    return provider


@contextmanager
def request_span(scope: Mapping[str, Any]) -> Iterator[None]:
    """Opens the span of a request, below the caller's span if it sent one. Call it only while tracing is on."""
    # Not url.path: it may contain a tag, which is the user's text. describe_request adds the route.
    from opentelemetry import propagate  # noqa: PLC0415
    from opentelemetry.trace import SpanKind  # noqa: PLC0415

    assert tracer is not None
    sent = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    attributes = {
        "http.request.method": scope["method"],
        "url.scheme": scope["scheme"],
        "network.protocol.version": scope["http_version"],
    }
    with tracer.start_as_current_span(
        scope["method"], propagate.extract(sent), kind=SpanKind.SERVER, attributes=attributes
    ):
        yield


def describe_request(method: str, route: str | None, status: int, request_id: str) -> None:
    """Completes the current request's span after the answer."""
    from opentelemetry.trace import Status, StatusCode, get_current_span  # noqa: PLC0415

    span = get_current_span()
    span.set_attributes({"http.response.status_code": status, "taskwell.request_id": request_id})
    if route is not None:
        span.update_name(f"{method} {route}")
        span.set_attribute("http.route", route)
    if status >= 500:
        span.set_status(Status(StatusCode.ERROR))
        span.set_attribute("error.type", str(status))


def record_query(system: str, statement: str, seconds: float, error: BaseException | None) -> None:
    """Records the span of a statement that has just ended, without its values."""
    from opentelemetry.trace import SpanKind, Status, StatusCode  # noqa: PLC0415

    assert tracer is not None
    end = time.time_ns()
    attributes = {"db.system.name": system, "db.query.text": statement}
    start = end - int(seconds * 1e9)
    span = tracer.start_span(_summary(statement), kind=SpanKind.CLIENT, attributes=attributes, start_time=start)
    if error is not None:
        span.set_attribute("error.type", type(error).__name__)
        span.set_status(Status(StatusCode.ERROR))
    span.end(end)


def _summary(statement: str) -> str:
    """A short name such as ``SELECT tasks``, since the conventions ask for few different names."""
    words = statement.replace("(", " ").split()
    tables = (words[at + 1] for at, word in enumerate(words[:-1]) if word in ("FROM", "INTO", "UPDATE"))
    return " ".join([words[0], *[table.strip('",') for table in list(tables)[:1]]])


def _start_sentry(settings: Settings) -> None:
    try:
        import sentry_sdk  # noqa: PLC0415
    except ImportError as error:
        raise InvalidSettings("SENTRY_DSN is set: install taskwell[sentry] or remove it") from error
    assert settings.sentry_dsn is not None
    try:
        sentry_sdk.init(
            dsn=settings.sentry_dsn.get_secret_value(),
            release=__version__,
            environment=settings.environment,
            default_integrations=False,
            auto_enabling_integrations=False,
            include_local_variables=False,
            include_source_context=False,
            max_breadcrumbs=0,
            before_send=_without_messages,
        )
    except sentry_sdk.utils.BadDsn as error:
        raise InvalidSettings(f"SENTRY_DSN cannot be used: {error}") from error


def _without_messages(event: "Event", hint: "Hint") -> "Event":
    """Removes messages, since a driver's message may quote a user's value. Our own log has it."""
    for each in event.get("exception", {}).get("values", []):
        each["value"] = ""
    return event


def report(error: BaseException, request_id: str | None) -> None:
    """Reports an unexpected error to Sentry, if it is on."""
    import sentry_sdk  # noqa: PLC0415

    with sentry_sdk.new_scope() as scope:
        if request_id is not None:
            scope.set_tag("request_id", request_id)
        scope.capture_exception(error)
