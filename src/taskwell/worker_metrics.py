"""``/metrics`` and ``/health`` of ``taskwell worker``.

A thread answers them, so they answer even if the worker is stuck.
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


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Handler(WSGIRequestHandler):
    timeout = 5

    def log_message(self, *_: object) -> None:
        """Logs nothing, since probes call every few seconds."""


@contextmanager
def answering(settings: Settings, worker: Worker) -> Iterator[None]:
    """Answers at ``WORKER_METRICS_PORT`` while the block runs; does nothing without that setting.

    Raises:
        InvalidSettings: the port is in use.
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
    def application(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        path, media_type, content = environ["PATH_INFO"], "application/json", b""
        if path in ("/health", "/health/live"):
            status, content = _health(worker.is_alive, "alive", "stuck")
        elif path == "/health/ready":
            status, content = _health(worker.is_ready, "ready", "not ready")
        elif path == "/metrics" and (status := _status_for(settings, environ)) == 200:
            metrics.refresh_gauges()
            media_type, content = metrics.MEDIA_TYPE, metrics.exposition()
        elif path != "/metrics":
            status = 404
        start_response(f"{status} {HTTPStatus(status).phrase}", [("Content-Type", media_type)])
        return [content]

    return application


def _health(is_up: bool, up: str, down: str) -> tuple[int, bytes]:  # noqa: FBT001  # it is asked, not switched
    """The answer to a probe; it needs no token, since it reveals nothing."""
    return (200 if is_up else 503), b'{"status":"%s"}' % (up if is_up else down).encode()


def _status_for(settings: Settings, environ: WSGIEnvironment) -> int:
    """The status of /metrics, by the same rule as in the API."""
    try:
        given = environ.get("HTTP_AUTHORIZATION")
        require_operator(settings, [] if given is None else [given.encode("latin-1")])
    except AppError as error:
        return error.status
    return 200
