"""``taskwell worker``."""

import asyncio
import signal

import structlog
import typer

from taskwell import __version__, logs, migrations, tracing, worker_metrics
from taskwell.database import open_database
from taskwell.settings import read_settings
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
    await migrations.prepare(settings)
    database = await open_database(settings)
    try:
        work = Worker(database, settings)
        for each in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(each, work.stop)
        if not logs.writes_json(settings):
            typer.echo("Taskwell's worker delivers reminders; SIGTERM stops it.")
        log.info("starting", version=__version__, settings=logs.effective(settings))
        with worker_metrics.answering(settings):
            await work.run()
        log.info("stopped")
    finally:
        await database.close()
