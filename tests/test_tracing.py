"""The span tree of a request, and what Sentry is told; neither is there until it is asked for."""

import asyncio
import gzip
import subprocess
import sys
from collections.abc import Iterator
from typing import Self

import pytest
import structlog
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from structlog.contextvars import merge_contextvars

from taskwell.api.gateway import Gateway
from taskwell.database import Database
from taskwell.errors import Unavailable
from taskwell.observability import logs, tracing
from taskwell.settings import InvalidSettings, Settings
from tests.conftest import SECRET
from tests.support.people import Person
from tests.support.receiver import Receiver

CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracing.use(provider)
    yield exporter
    tracing.use(None)


def tree(spans: InMemorySpanExporter) -> tuple[ReadableSpan, list[ReadableSpan]]:
    """The one request, and what is below it."""
    finished = spans.get_finished_spans()
    (root,) = [span for span in finished if span.kind is SpanKind.SERVER]
    below = [span for span in finished if span.parent and span.parent.span_id == root.context.span_id]
    assert len(below) == len(finished) - 1
    return root, below


async def test_a_request_is_a_span_with_its_statements_below_it(ada: Person, database: Database, spans):
    await ada.http.get("/api/v1/tasks")  # from now on the token is known
    spans.clear()

    response = await ada.http.post(
        "/api/v1/tasks", json={"title": "A very private title"}, headers={"traceparent": CALLER}
    )

    root, below = tree(spans)
    assert root.name == "POST /api/v1/tasks"
    assert root.attributes == {
        "http.request.method": "POST",
        "url.scheme": "http",
        "network.protocol.version": "1.1",
        "http.response.status_code": 201,
        "http.route": "/api/v1/tasks",
        "taskwell.request_id": response.headers["x-request-id"],
    }
    assert f"{root.context.trace_id:032x}" == CALLER.split("-")[1]
    assert root.parent
    assert f"{root.parent.span_id:016x}" == CALLER.split("-")[2]
    statement = next(span for span in below if "INSERT INTO tasks" in str(span.attributes))
    assert statement.kind is SpanKind.CLIENT
    assert statement.attributes
    assert statement.attributes["db.system.name"] == database.name
    times = [root.start_time, statement.start_time, statement.end_time, root.end_time]
    assert times == sorted(each for each in times if each is not None)
    assert "private" not in str([span.to_json() for span in (root, *below)])


async def test_a_tags_name_is_in_no_span(ada: Person, spans):
    await ada.http.patch("/api/v1/tags/very-private", json={"name": "private still"})

    root, below = tree(spans)
    assert root.name == "PATCH /api/v1/tags/{name}"
    assert "private" not in str([span.to_json() for span in (root, *below)])


async def test_a_failure_is_marked_and_a_refusal_is_none(ada: Person, database: Database, spans, monkeypatch):
    await ada.http.get("/api/v1/tasks/01938d1c-7d3a-7b6e-9f5e-0a4c1c2d3e4f")
    refused, _ = tree(spans)
    spans.clear()

    async def lost(*_, **__):
        raise Unavailable("The database cannot be reached.")

    monkeypatch.setattr(type(database), "rows", lost)
    await ada.http.get("/api/v1/tasks")
    failed, _ = tree(spans)

    assert refused.name == "GET /api/v1/tasks/{task_id}"
    assert refused.status.status_code is StatusCode.UNSET
    assert failed.status.status_code is StatusCode.ERROR
    assert failed.attributes
    assert failed.attributes["error.type"] == "503"


async def test_nothing_is_traced_until_it_is_asked_for(ada: Person, spans):
    tracing.use(None)
    await ada.http.get("/api/v1/tasks")

    assert spans.get_finished_spans() == ()


@pytest.mark.parametrize(
    ("environment", "is_wanted"),
    [
        ({}, False),
        ({"OTEL_SERVICE_NAME": "taskwell"}, False),
        ({"OTEL_TRACES_EXPORTER": "none"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, True),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, True),
        ({"OTEL_TRACES_EXPORTER": "otlp", "OTEL_SDK_DISABLED": "true"}, False),
    ],
)
def test_the_standard_variables_turn_it_on(environment: dict[str, str], is_wanted: bool):  # noqa: FBT001
    assert tracing._is_wanted(environment) == is_wanted


@pytest.mark.parametrize(
    ("statement", "summary"),
    [
        ("SELECT a FROM tasks WHERE b", "SELECT tasks"),
        ("WITH stamp AS (UPDATE users SET a) INSERT INTO tasks (b)", "WITH users"),
        ("BEGIN", "BEGIN"),
    ],
)
def test_a_statements_name_is_short(statement: str, summary: str):
    assert tracing._summary(statement) == summary


def test_neither_sdk_is_imported_by_a_process_that_wants_none():
    script = (
        "import sys; from taskwell.app import create_app; from taskwell.observability import tracing;"
        "from taskwell.settings import Settings;"
        f"settings = Settings(_env_file=None, secret_key={SECRET!r});"
        "tracing.configure(settings); create_app(settings);"
        "print([name for name in sys.modules if name.startswith(('opentelemetry.sdk', 'sentry_sdk'))])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


class Sentry:
    """Its ingestion, as far as a client notices."""

    def __init__(self) -> None:
        self.received = b""
        self.dsn = ""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._take, "127.0.0.1", 0)
        self.dsn = f"http://public@127.0.0.1:{self._server.sockets[0].getsockname()[1]}/1"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if b"content-length" in line)
        body = await reader.readexactly(length)
        assert b"content-encoding: gzip" in head.lower()
        self.received += gzip.decompress(body)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
        await writer.drain()
        writer.close()


async def test_sentry_is_told_of_unexpected_errors_and_of_nothing_that_somebody_sent(
    app: Gateway, ada: Person, monkeypatch
):
    import sentry_sdk

    before = structlog.get_config()
    async with Sentry() as sentry:
        settings = Settings(_env_file=None, secret_key=SECRET, sentry_dsn=sentry.dsn, log_format="console")
        tracing.configure(settings)
        monkeypatch.setattr(logs, "STDOUT", -1)
        structlog.configure(processors=[merge_contextvars, logs._report, structlog.processors.KeyValueRenderer()])
        try:
            await ada.http.get("/api/v1/tasks/01938d1c-7d3a-7b6e-9f5e-0a4c1c2d3e4f")
            await ada.http.post("/api/v1/tasks", json={"title": 7})
            await asyncio.to_thread(sentry_sdk.flush, 5)
            assert sentry.received == b"", "a refusal is expected"

            async def broken(*_: object, **__: object) -> None:
                raise ValueError("A very private title")

            monkeypatch.setattr("taskwell.tasks.create", broken)
            failed = await ada.http.post("/api/v1/tasks", json={"title": "A very private title"})
            await asyncio.to_thread(sentry_sdk.flush, 5)
        finally:
            structlog.configure(**before)
            sentry_sdk.get_client().close()

    assert failed.status_code == 500
    told = sentry.received.decode()
    assert "ValueError" in told
    assert failed.headers["x-request-id"] in told
    for secret in ("private", ada.token, "ada@example.com", SECRET):
        assert secret not in told


def test_a_dsn_that_is_none_is_told():
    settings = Settings(_env_file=None, secret_key=SECRET, sentry_dsn="http://nonsense")
    with pytest.raises(InvalidSettings, match="SENTRY_DSN cannot be used"):
        tracing.configure(settings)


async def test_the_environment_alone_turns_tracing_on(monkeypatch: pytest.MonkeyPatch):
    made: list[TracerProvider] = []
    monkeypatch.setattr(tracing, "use", made.append)
    async with Receiver(status="200 OK") as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{collector.port}")
        monkeypatch.setenv("OTEL_SERVICE_NAME", "diary")

        tracing.configure(Settings(_env_file=None, secret_key=SECRET))
        (provider,) = made
        provider.get_tracer("tests").start_span("Buy milk").end()
        await asyncio.to_thread(provider.shutdown)

    (request,) = collector.requests
    assert request[0] == "POST /v1/traces HTTP/1.1"
    assert b"Buy milk" in request[2]
    assert b"diary" in request[2]


@pytest.mark.parametrize(
    ("package", "asked", "words"),
    [
        ("opentelemetry.sdk.trace", {"OTEL_TRACES_EXPORTER": "otlp"}, r"install taskwell\[tracing\]"),
        ("sentry_sdk", {"SENTRY_DSN": "https://public@sentry.example/1"}, r"install taskwell\[sentry\]"),
    ],
)
def test_what_is_asked_for_and_not_installed_is_named(monkeypatch, package: str, asked: dict[str, str], words: str):
    for name, value in asked.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setitem(sys.modules, package, None)

    with pytest.raises(InvalidSettings, match=words):
        tracing.configure(Settings(_env_file=None, secret_key=SECRET))


def test_a_statement_that_failed_is_marked(spans: InMemorySpanExporter):
    tracing.record_query("sqlite", "SELECT a FROM tasks", 0.001, ValueError("A very private title"))

    (span,) = spans.get_finished_spans()
    assert span.status.status_code is StatusCode.ERROR
    assert span.attributes
    assert span.attributes["error.type"] == "ValueError"
    assert "private" not in span.to_json()
