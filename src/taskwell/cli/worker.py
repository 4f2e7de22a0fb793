"""``taskwell worker``."""

import asyncio
import signal

import typer

from taskwell import logs, migrations
from taskwell.database import open_database
from taskwell.settings import read_settings
from taskwell.worker import Worker


def worker() -> None:
    """Deliver reminders and empty the trash, until stopped; any number may run.

    Example: DATABASE_URL=postgresql://localhost/taskwell taskwell worker
    """
    asyncio.run(_work())


async def _work() -> None:
    settings = read_settings()
    logs.configure(settings)
    await migrations.prepare(settings)
    database = await open_database(settings)
    try:
        work = Worker(database, settings)
        for each in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(each, work.stop)
        typer.echo("Taskwell's worker delivers reminders; SIGTERM stops it.")
        await work.run()
    finally:
        await database.close()
