"""Work in a thread, on what only one may use at a time."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")


async def to_its_end(executor: Executor | None, work: Callable[[], T]) -> T:
    """Does the work in a thread; a caller that is cancelled meanwhile leaves only when it has ended.

    A connection to SQLite that is closed while a thread runs a statement on it takes the whole process along, and
    a file that is closed while a thread uses it may be another file by then.

    Args:
        executor: None for the threads of the event loop.
    """
    running = asyncio.get_running_loop().run_in_executor(executor, work)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        while not running.done():
            with suppress(asyncio.CancelledError):  # some cancel again and again until they are obeyed
                await asyncio.wait([running])
        raise
