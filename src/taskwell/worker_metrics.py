"""``/metrics`` of a process that serves nothing else: ``taskwell worker``."""

from collections.abc import Iterator
from contextlib import contextmanager
from hmac import compare_digest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from taskwell import process, telemetry
from taskwell.settings import InvalidSettings, Settings


@contextmanager
def answering(settings: Settings) -> Iterator[None]:
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
        server = ThreadingHTTPServer((settings.host, settings.worker_metrics_port), _handler(settings))
    except OSError as error:
        raise InvalidSettings(f"WORKER_METRICS_PORT cannot be used: {error.strerror}") from error
    with server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield
        finally:
            server.shutdown()
            end()


def _handler(settings: Settings) -> type[BaseHTTPRequestHandler]:
    token = settings.metrics_token.get_secret_value() if settings.metrics_token is not None else None

    class Metrics(BaseHTTPRequestHandler):
        timeout = 5

        def do_GET(self) -> None:
            status = self._status()
            content = telemetry.exposition().encode() if status == 200 else b""
            self.send_response_only(status)
            self.send_header("Content-Type", telemetry.MEDIA_TYPE)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def _status(self) -> int:
            """As the API's own /metrics has it."""
            if self.path.partition("?")[0] != "/metrics" or (settings.is_production and token is None):
                return 404
            if not settings.is_production or token is None:
                return 200
            given = self.headers.get("Authorization", "").removeprefix("Bearer ")
            return 200 if compare_digest(given.encode(), token.encode()) else 401

        def log_message(self, *_: object) -> None:
            """Says nothing: Prometheus asks every few seconds."""

    return Metrics
