"""The one connection that writes to SQLite, and the writers that take turns on it.

A commit waits for the disk, ten times longer and more than the statements before it. So the writers that are
waiting already join the transaction, each in a savepoint of its own, and one commit serves them all (group
commit): none is acknowledged before the disk has it, and the disk is asked once for all of them. While the disk has
one group, the event loop answers the one before and reads the requests of the next.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import TypeVar

from taskwell.database.checkpoints import Checkpoints

T = TypeVar("T")

MOST = 8
"""How many share a commit. With all in one, nobody would be left whose request the loop could see to meanwhile."""


class _Group:
    """The writers of one transaction."""

    def __init__(self) -> None:
        self.is_over = False
        self.members = 0
        self._waiting: list[asyncio.Future[None]] = []

    def on_disk(self) -> asyncio.Future[None]:
        """Done when the transaction is on the disk; each waits for a future of its own, which it may cancel."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        return future

    def end(self, error: Exception | None = None) -> None:
        self.is_over = True
        for future in self._waiting:
            if future.done():
                continue
            if error is None:
                future.set_result(None)
            else:
                future.set_exception(error)


class Writer:
    """Serialises the writers. What may wait, a ``BEGIN`` beside another process and ``COMMIT``, runs in a thread of
    its own; so does what takes long.
    """

    def __init__(self, connection: sqlite3.Connection, checkpoints: Checkpoints, *, busy_timeout: float) -> None:
        self._connection = connection
        self._checkpoints = checkpoints
        self._patience = f"PRAGMA busy_timeout={int(busy_timeout * 1000)}"
        self._turn = asyncio.Lock()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sqlite-write")
        self._group: _Group | None = None
        self._commits: set[asyncio.Task[None]] = set()
        connection.execute("PRAGMA busy_timeout=0")

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Does work that waits for nothing; see ``transaction``."""
        async with self._turn:
            group = await self._joined()
            with self._kept(group):
                result = work(self._connection)
            on_disk = group.on_disk()
        await on_disk
        return result

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[sqlite3.Connection]:
        """The connection, for statements that are kept together or not at all.

        When the block has ended without an error they are on the disk. A writer that fails leaves the others
        of its group alone; a commit that fails fails for all of them.
        """
        async with self._turn:
            group = await self._joined()
            with self._kept(group):
                yield self._connection
            on_disk = group.on_disk()
        await on_disk

    async def close(self) -> None:
        await asyncio.gather(*self._commits)
        async with self._turn:
            self._thread.shutdown()
            self._checkpoints.close()
            self._connection.close()

    async def _joined(self) -> _Group:
        """The group of whoever has the turn now."""
        if self._group is not None and self._group.members >= MOST:
            await _to_its_end(asyncio.create_task(self._put_on_disk(self._group)))
        group = self._group or await self._begun()
        group.members += 1
        return group

    async def _begun(self) -> _Group:
        """A new group. Its commit queues for a turn behind those who wait now, and they become its members."""
        if not self._begins_at_once():
            try:
                await self.in_thread(self._begin_patiently)
            except asyncio.CancelledError:
                self._roll_back()
                raise
        group = self._group = _Group()
        commit = asyncio.create_task(self._commit(group))
        self._commits.add(commit)
        commit.add_done_callback(self._commits.discard)
        return group

    def _begins_at_once(self) -> bool:
        """False where another process is writing."""
        try:
            self._connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            return False
        return True

    def _begin_patiently(self) -> None:
        self._connection.execute(self._patience)
        try:
            self._connection.execute("BEGIN IMMEDIATE")
        finally:
            self._connection.execute("PRAGMA busy_timeout=0")

    async def _commit(self, group: _Group) -> None:
        async with self._turn:
            await self._put_on_disk(group)

    async def _put_on_disk(self, group: _Group) -> None:
        """Commits for all members, for whoever has the turn; nothing is left to do where that has been done."""
        if group.is_over:
            return
        self._group = None
        try:
            await self.in_thread(partial(self._connection.execute, "COMMIT"))
        except Exception as error:  # noqa: BLE001, whatever it is belongs to those who wait for the commit
            self._roll_back()
            group.end(error)
            return
        group.end()
        if self._checkpoints.is_to_be_finished(self._connection.total_changes):
            await self.in_thread(partial(self._checkpoints.finish, self._connection))

    @contextmanager
    def _kept(self, group: _Group) -> Iterator[None]:
        """Takes back one writer's statements where it fails, or says so where SQLite has taken back all of them."""
        self._connection.execute("SAVEPOINT writer")
        try:
            yield
            self._connection.execute("RELEASE writer")
        except BaseException as error:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK TO writer")
                self._connection.execute("RELEASE writer")
            elif not group.is_over:
                self._group = None
                group.end(error if isinstance(error, Exception) else sqlite3.OperationalError(str(error)))
            raise

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Does the work of whoever has the turn; to its end, even when the caller is cancelled."""
        return await _to_its_end(asyncio.get_running_loop().run_in_executor(self._thread, work))


async def _to_its_end(running: asyncio.Future[T]) -> T:
    """Waits even when the caller is cancelled, which is told afterwards."""
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait([running])
        raise
