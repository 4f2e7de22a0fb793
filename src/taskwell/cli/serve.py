"""``taskwell serve``."""

import asyncio
import os
import signal
import socket
import sys
from typing import Annotated, NoReturn

import structlog
import typer

from taskwell import __version__, migrations, server, supervisor
from taskwell.mail import templates
from taskwell.observability import logs
from taskwell.settings import InvalidSettings, read_settings
from taskwell.stop_signals import stop_signals

log = structlog.get_logger("taskwell.server")


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; HOST by default.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; PORT by default.", min=0, max=65_535)] = None,
    workers: Annotated[int, typer.Option(help="Processes; above 1 only on PostgreSQL.", min=1)] = 1,
) -> None:
    """Serve the API.

    Example: taskwell serve --host 0.0.0.0 --port 8000 --workers 2
    """
    settings = read_settings()
    if workers > 1 and settings.is_sqlite:
        raise InvalidSettings("--workers above 1 needs PostgreSQL: SQLite is served by one process; set DATABASE_URL")
    templates.check(settings)
    for each in stop_signals():
        signal.signal(each, _end)
    logs.configure(settings)
    with server.bound(host or settings.host, settings.port if port is None else port) as listener:
        os.environ["PORT"] = str(listener.getsockname()[1])  # links lead there where PUBLIC_URL is not set
        asyncio.run(migrations.prepare(settings))
        _ = settings.signing_key  # in development the key is created here, before the processes start
        address = _address(listener)
        log.info("starting", version=__version__, address=address, workers=workers, settings=logs.effective(settings))
        greeting = "" if logs.writes_json(settings) else f"Taskwell serves {address} (API page: {address}/docs)"
        if workers > 1:
            could_start = supervisor.Supervisor(listener, workers, greeting).run()
        else:
            could_start = server.serve_here(listener, greeting)
        if not could_start:
            sys.exit(1)
    log.info("stopped")


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _end(*_: object) -> NoReturn:
    """Exits with 0: a requested stop is no failure, even before the server runs."""
    sys.exit(0)
