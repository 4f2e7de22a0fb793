"""``taskwell serve``."""

import asyncio
import signal
import socket
import sys
from typing import Annotated, NoReturn

import typer
import uvicorn

from taskwell import migrations
from taskwell.settings import InvalidSettings, read_settings

DRAIN_SECONDS = 20


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
    host, port = host or settings.host, settings.port if port is None else port
    require_free(host, port)
    asyncio.run(migrations.prepare(settings))
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, _end)
    typer.echo(f"Taskwell serves http://{host}:{port} (API page: http://{host}:{port}/docs)")
    uvicorn.run(
        "taskwell.app:serve_app",
        factory=True,
        host=host,
        port=port,
        workers=workers,
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_config=None,  # its own logs go through ours: see taskwell.logs
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )


def _end(*_: object) -> NoReturn:
    """Uvicorn raises the signal that it ended for once more when it is done; that is no failure."""
    sys.exit(0)


def require_free(host: str, port: int) -> None:
    """Raises:
    InvalidSettings: somebody else listens there, or the address is not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise InvalidSettings(f"PORT {port} on HOST {host} cannot be used: {error.strerror}") from error
