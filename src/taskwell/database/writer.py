"""The one connection that writes to SQLite, and the writers that take turns on it.

A commit waits for the disk, ten times longer and more than the statements before it. So the writers that are
waiting already join the transaction, each in a savepoint of its own, and one commit serves them all (group
commit): none is acknowledged before the disk has it, and the disk is asked once for all of them.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from typing import TypeVar

T = TypeVar("T")

Group = asyncio.Future[None]
"""Done when the transaction that its writers share is on the disk."""


class Writer:
    """Serialises the writers. What may wait, ``BEGIN IMMEDIATE`` and ``COMMIT``, runs in a thread of its own; so does
    what takes long.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._turn = asyncio.Lock()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sqlite-write")
        self._group: Group | None = None
        self._commits: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[sqlite3.Connection]:
        """The connection, for statements that are kept together or not at all.

        When the block has ended without an error they are on the disk. A writer that fails leaves the others
        of its group alone; a commit that fails fails for all of them.
        """
        async with self._turn:
            group = self._group or await self._begun()
            self._connection.execute("SAVEPOINT writer")
            try:
                yield self._connection
                self._connection.execute("RELEASE writer")
            except BaseException as error:
                self._undo(group, error)
                raise
        await asyncio.shield(group)

    async def close(self) -> None:
        await asyncio.gather(*self._commits)
        async with self._turn:
            self._thread.shutdown()
            self._connection.close()

    async def _begun(self) -> Group:
        """A new group. Its commit queues for a turn behind those who wait now, and they become its members."""
        await self._run("BEGIN IMMEDIATE")
        group = self._group = asyncio.get_running_loop().create_future()
        group.add_done_callback(_look_at_failure)
        commit = asyncio.create_task(self._commit(group))
        self._commits.add(commit)
        commit.add_done_callback(self._commits.discard)
        return group

    async def _commit(self, group: Group) -> None:
        async with self._turn:
            if group.done():
                return
            self._group = None
            try:
                await self._run("COMMIT")
            except Exception as error:  # noqa: BLE001, whatever it is belongs to those who wait for the commit
                self._roll_back()
                group.set_exception(error)
            else:
                group.set_result(None)

    def _undo(self, group: Group, error: BaseException) -> None:
        """Takes back one writer's statements, or says so where SQLite has taken back the whole transaction."""
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK TO writer")
            self._connection.execute("RELEASE writer")
        elif not group.done():
            self._group = None
            group.set_exception(error if isinstance(error, Exception) else sqlite3.OperationalError(str(error)))

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Does the work of whoever has the turn; to its end, even when the caller is cancelled."""
        running = asyncio.get_running_loop().run_in_executor(self._thread, work)
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            await asyncio.wait([running])
            raise

    async def _run(self, statement: str) -> None:
        """A transaction begun for nobody is rolled back."""
        try:
            await self.in_thread(partial(self._connection.execute, statement))
        except asyncio.CancelledError:
            self._roll_back()
            raise


def _look_at_failure(group: Group) -> None:
    """Keeps asyncio from reporting a failure that nobody was left to wait for."""
    if not group.cancelled():
        group.exception()
