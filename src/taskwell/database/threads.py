"""Runs work in a thread that must not be abandoned."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")


async def to_its_end(executor: Executor | None, work: Callable[[], T]) -> T:
    """Runs the work in a thread. A cancelled caller waits until the work has ended.

    Args:
        executor: None for the default threads of the event loop.
    """
    running = asyncio.get_running_loop().run_in_executor(executor, work)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        while not running.done():
            with suppress(asyncio.CancelledError):  # a caller may be cancelled several times
                await asyncio.wait([running])
        raise
