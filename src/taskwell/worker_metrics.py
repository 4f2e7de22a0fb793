"""``/metrics`` and ``/health`` of a process that serves nothing else: ``taskwell worker``.

They are answered in a thread, so also while the worker itself is stuck.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from socketserver import ThreadingMixIn
from threading import Thread
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from taskwell.errors import AppError
from taskwell.observability import metrics
from taskwell.security.bearer import require_operator
from taskwell.settings import InvalidSettings, Settings
from taskwell.worker import Worker

JSON = "application/json"


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Handler(WSGIRequestHandler):
    timeout = 5

    def log_message(self, *_: object) -> None:
        """Says nothing: Prometheus and orchestrators ask every few seconds."""


@contextmanager
def answering(settings: Settings, worker: Worker) -> Iterator[None]:
    """Answers at ``WORKER_METRICS_PORT`` while the block runs; without that setting there is nothing.

    Raises:
        InvalidSettings: somebody else listens there.
    """
    if settings.worker_metrics_port is None:
        yield
        return
    place, application = (settings.host, settings.worker_metrics_port), _application(settings, worker)
    try:
        server = make_server(*place, application, server_class=_Server, handler_class=_Handler)
    except OSError as error:
        raise InvalidSettings(f"WORKER_METRICS_PORT cannot be used: {error.strerror}") from error
    with server, metrics.observing_process("sqlite" if settings.is_sqlite else "postgresql"):
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield
        finally:
            server.shutdown()


def _application(settings: Settings, worker: Worker) -> WSGIApplication:
    def answer(path: str, authorization: list[bytes]) -> tuple[int, str, bytes]:
        """Status, media type and content; health is for anybody who asks, as the API's own."""
        if path in ("/health", "/health/live"):
            return _health("alive", "stuck", is_up=worker.is_alive)
        if path == "/health/ready":
            return _health("ready", "not ready", is_up=worker.is_ready)
        if path != "/metrics":
            return 404, JSON, b""
        try:
            require_operator(settings, authorization)
        except AppError as error:
            return error.status, JSON, b""
        metrics.refresh_gauges()
        return 200, metrics.MEDIA_TYPE, metrics.exposition()

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        authorization = [environ[name].encode("latin-1") for name in ("HTTP_AUTHORIZATION",) if name in environ]
        status, media_type, content = answer(environ["PATH_INFO"], authorization)
        start_response(f"{status} {HTTPStatus(status).phrase}", [("Content-Type", media_type)])
        return [content]

    return application


def _health(up: str, down: str, *, is_up: bool) -> tuple[int, str, bytes]:
    return (200, JSON, b'{"status":"%s"}' % up.encode()) if is_up else (503, JSON, b'{"status":"%s"}' % down.encode())
