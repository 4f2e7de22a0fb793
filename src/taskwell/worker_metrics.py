"""``/metrics`` and ``/health`` of a process that serves nothing else: ``taskwell worker``.

They are answered in a thread, so also while the worker itself is stuck.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from hmac import compare_digest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from taskwell import process, telemetry
from taskwell.settings import InvalidSettings, Settings
from taskwell.worker import Worker

JSON = "application/json"


@contextmanager
def answering(settings: Settings, worker: Worker) -> Iterator[None]:
    """Answers at ``WORKER_METRICS_PORT`` while the block runs; without that setting there is nothing.

    Raises:
        InvalidSettings: somebody else listens there.
    """
    if settings.worker_metrics_port is None:
        yield
        return
    process.introduce("sqlite" if settings.is_sqlite else "postgresql")
    end = telemetry.before_reading(process.look)
    try:
        server = ThreadingHTTPServer((settings.host, settings.worker_metrics_port), _handler(settings, worker))
    except OSError as error:
        raise InvalidSettings(f"WORKER_METRICS_PORT cannot be used: {error.strerror}") from error
    with server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield
        finally:
            server.shutdown()
            end()


def _handler(settings: Settings, worker: Worker) -> type[BaseHTTPRequestHandler]:
    token = settings.metrics_token.get_secret_value() if settings.metrics_token is not None else None

    class Answers(BaseHTTPRequestHandler):
        timeout = 5

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path in ("/health", "/health/live"):
                self._answer_health("alive" if worker.is_alive else "stuck", is_up=worker.is_alive)
            elif path == "/health/ready":
                self._answer_health("ready" if worker.is_ready else "not ready", is_up=worker.is_ready)
            else:
                status = self._metrics_status() if path == "/metrics" else 404
                self._answer(status, telemetry.MEDIA_TYPE, telemetry.exposition().encode() if status == 200 else b"")

        def _answer_health(self, status: str, *, is_up: bool) -> None:
            """For anybody who asks, as the API's own: there is nothing in it."""
            self._answer(200 if is_up else 503, JSON, b'{"status":"%s"}' % status.encode())

        def _answer(self, status: int, media_type: str, content: bytes) -> None:
            self.send_response_only(status)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def _metrics_status(self) -> int:
            """As the API's own /metrics has it."""
            if settings.is_production and token is None:
                return 404
            if not settings.is_production or token is None:
                return 200
            given = self.headers.get("Authorization", "").removeprefix("Bearer ")
            return 200 if compare_digest(given.encode(), token.encode()) else 401

        def log_message(self, *_: object) -> None:
            """Says nothing: Prometheus and orchestrators ask every few seconds."""

    return Answers
