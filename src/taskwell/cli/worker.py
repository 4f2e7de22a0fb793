"""``taskwell worker``."""

import asyncio
import os
import socket

import structlog
import typer

from taskwell import __version__, migrations, worker_metrics
from taskwell.database import open_database
from taskwell.mail import templates
from taskwell.observability import logs, tracing
from taskwell.settings import read_settings
from taskwell.stop_signals import stop_signals
from taskwell.worker import Worker

log = structlog.get_logger("taskwell.worker")


def worker() -> None:
    """Deliver reminders and empty the trash, until stopped; any number may run.

    Example: DATABASE_URL=postgresql://localhost/taskwell taskwell worker
    """
    asyncio.run(_work())


async def _work() -> None:
    settings = read_settings()
    logs.configure(settings)
    tracing.configure(settings)
    templates.check(settings)
    await migrations.prepare(settings)
    database = await open_database(settings, command_timeout=settings.database_command_timeout_seconds)
    try:
        work = Worker(database, settings)
        for each in stop_signals():
            asyncio.get_running_loop().add_signal_handler(each, work.stop)
        if not logs.writes_json(settings):
            typer.echo("Taskwell's worker delivers reminders; SIGTERM stops it.")
        log.info("starting", version=__version__, settings=logs.effective(settings))
        with worker_metrics.answering(settings, work):
            watched = asyncio.create_task(_tell_systemd(work))
            await work.run()
            watched.cancel()
        log.info("stopped")
    finally:
        await database.close()


async def _tell_systemd(work: Worker) -> None:
    """Reports to systemd that the worker runs, twice in each ``WatchdogSec`` (sd_notify(3))."""
    address, microseconds = os.environ.get("NOTIFY_SOCKET", ""), int(os.environ.get("WATCHDOG_USEC", "0"))
    if not address or not microseconds:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.connect(address.replace("@", "\0", 1) if address.startswith("@") else address)
        while True:
            if work.is_alive:
                systemd.send(b"WATCHDOG=1")
            await asyncio.sleep(microseconds / 2e6)
