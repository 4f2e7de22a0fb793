"""The database, for the commands that look into it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from taskwell import migrations
from taskwell.database import Database, open_database
from taskwell.settings import read_settings

T = TypeVar("T")


def with_database(work: Callable[[Database], Awaitable[T]]) -> T:
    """What the work gives on the database that the settings name."""
    return asyncio.run(_with_database(work))


async def _with_database(work: Callable[[Database], Awaitable[T]]) -> T:
    settings = read_settings()
    await migrations.prepare(settings)
    database = await open_database(settings)
    try:
        return await work(database)
    finally:
        await database.close()
