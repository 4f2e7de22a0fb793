"""Opens the database for a command."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from taskwell import migrations
from taskwell.database import Database, open_database
from taskwell.settings import read_settings

T = TypeVar("T")


def with_database(work: Callable[[Database], Awaitable[T]]) -> T:
    """Runs the work on the database of the settings; gives its result."""
    return asyncio.run(_with_database(work))


async def _with_database(work: Callable[[Database], Awaitable[T]]) -> T:
    settings = read_settings()
    await migrations.prepare(settings)
    database = await open_database(settings)
    try:
        return await work(database)
    finally:
        await database.close()
