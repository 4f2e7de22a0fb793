"""The one connection that writes to SQLite, and the writers that take turns on it.

A commit waits for the disk, ten times longer than the statements before it. So waiting writers share a transaction,
each in its own savepoint, and one commit serves all of them (group commit). No writer is answered before the commit.
While the disk writes one group, the event loop answers the previous group and reads the requests of the next.
"""

import asyncio
import sqlite3
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from contextvars import copy_context
from typing import Any, Generic, TypeVar

import structlog

from taskwell.database.file import DatabaseFile
from taskwell.database.threads import to_its_end

log = structlog.get_logger("taskwell.database")

T = TypeVar("T")

MAX_GROUP_SIZE = 8
"""Writers that share a commit. With all of them in one group, the event loop would idle during the commit."""

BEGIN = "BEGIN IMMEDIATE"

HEAVY_WRITE_ROWS = 1_000
"""From this number of rows on, indexing would delay the event loop, so it runs in the thread."""

CHECKPOINT_ROWS = 2_000
"""Rows written between two checkpoints: some 20 MB of log if they belong to many users."""


class _Turn(ABC, Generic[T]):
    """The turn of one writer."""

    _result: T

    def __init__(self) -> None:
        self.on_disk: asyncio.Future[T] = asyncio.get_running_loop().create_future()

    @property
    def is_given_up(self) -> bool:
        """Whether its caller was cancelled."""
        return self.on_disk.done()

    @abstractmethod
    async def taken(self, connection: sqlite3.Connection) -> BaseException | None:
        """Runs the statements; gives their error."""

    def succeed(self) -> None:
        """Tells the caller that the commit has succeeded."""
        if not self.on_disk.done():
            self.on_disk.set_result(self._result)

    def fail(self, error: BaseException) -> None:
        """Tells the caller that nothing was stored, unless it was told the result already."""
        if not self.on_disk.done():
            self.on_disk.set_exception(error)


class _Work(_Turn[T]):
    """The turn of a writer whose statements wait for nothing."""

    def __init__(self, work: Callable[[sqlite3.Connection], T]) -> None:
        super().__init__()
        self._work = work
        self._context = copy_context()  # the log and traces read the request's context

    async def taken(self, connection: sqlite3.Connection) -> Exception | None:
        try:
            self._result = self._context.run(self._work, connection)
        except Exception as error:  # noqa: BLE001, the caller gets every error
            return error
        return None


class _Block(_Turn[None]):
    """The turn of a writer that runs its statements itself, one after the other, while the turn lasts."""

    _result = None

    def __init__(self) -> None:
        super().__init__()
        create_future = asyncio.get_running_loop().create_future
        self.begun: asyncio.Future[sqlite3.Connection] = create_future()
        self.ended: asyncio.Future[BaseException | None] = create_future()

    @property
    def is_given_up(self) -> bool:
        return self.begun.done()

    async def taken(self, connection: sqlite3.Connection) -> BaseException | None:
        self.begun.set_result(connection)
        return await self.ended

    def fail(self, error: BaseException) -> None:
        if self.begun.done():
            super().fail(error)
        else:
            self.begun.set_exception(error)


class Writer:
    """Serves writers in their order, from a task that ends when none is left.

    ``COMMIT``, long work, and a ``BEGIN`` that waits for another process run in a thread.
    """

    def __init__(self, connection: sqlite3.Connection, file: DatabaseFile, *, busy_timeout: float) -> None:
        self._connection = connection
        self._file = file
        self._moved = 0
        self._patience = f"PRAGMA busy_timeout={int(busy_timeout * 1000)}"
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sqlite-write")
        self._waiting: deque[_Turn[Any]] = deque()
        self._serving: asyncio.Task[None] | None = None
        self._written = 0
        self._has_commit_hook = False
        connection.execute("PRAGMA busy_timeout=0")

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Runs work that awaits nothing, in a transaction; see ``transaction``."""
        turn = _Work(work)
        self._enqueue(turn)
        return await turn.on_disk

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[sqlite3.Connection]:
        """Gives the connection for the statements of one transaction.

        When the block has ended without an error, they are on the disk. A failed writer does not affect the others of
        its group; a failed commit fails all of them.
        """
        turn = _Block()
        self._enqueue(turn)
        try:
            yield await turn.begun
        except BaseException as error:
            turn.on_disk.cancel()
            turn.ended.set_result(error)
            raise
        turn.ended.set_result(None)
        await turn.on_disk

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Runs work of the current turn in the thread, to its end even if the caller is cancelled."""
        return await to_its_end(self._thread, work)

    async def close(self) -> None:
        """Waits until all writers have been served."""
        if self._serving is not None:
            await asyncio.wait([self._serving])
        self._thread.shutdown()
        self._connection.close()

    def _enqueue(self, turn: _Turn[Any]) -> None:
        self._waiting.append(turn)
        if self._serving is None or self._serving.done():
            self._serving = asyncio.create_task(self._serve())

    async def _serve(self) -> None:
        while self._waiting:
            group = [self._waiting.popleft() for _ in range(min(MAX_GROUP_SIZE, len(self._waiting)))]
            try:
                await self._begin()
                self._written = self._connection.total_changes
                kept = [turn for turn in group if await self._is_kept(turn)]
                await self._commit()
            except Exception as error:  # noqa: BLE001, all callers of the group get the error
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                for turn in group:
                    turn.fail(error)
                continue
            for turn in kept:
                turn.succeed()
            if self._connection.total_changes - self._moved >= CHECKPOINT_ROWS:
                self._moved = self._connection.total_changes
                await self.in_thread(self._checkpoint)

    async def _begin(self) -> None:
        try:
            self._connection.execute(BEGIN)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            await self.in_thread(self._begin_patiently)

    def _begin_patiently(self) -> None:
        """Waits for another process that is writing."""
        self._connection.execute(self._patience)
        try:
            self._connection.execute(BEGIN)
        finally:
            self._connection.execute("PRAGMA busy_timeout=0")

    async def _is_kept(self, turn: _Turn[Any]) -> bool:
        """Runs one turn in a savepoint, and rolls the savepoint back if the turn fails.

        Raises:
            Exception: SQLite has rolled back the whole group.
        """
        if turn.is_given_up:
            return False
        self._connection.execute("SAVEPOINT turn")
        error = await turn.taken(self._connection)
        if error is not None and not self._connection.in_transaction:
            raise error if isinstance(error, Exception) else sqlite3.OperationalError(str(error))
        if error is not None:
            self._connection.execute("ROLLBACK TO turn")
            turn.fail(error)
        self._connection.execute("RELEASE turn")
        return error is None

    async def _commit(self) -> None:
        if self._connection.total_changes - self._written > HEAVY_WRITE_ROWS:
            await self.in_thread(self._run_commit_hook)
        else:
            self._run_commit_hook()
        await self.in_thread(self._commit_to_the_file)

    def _commit_to_the_file(self) -> None:
        self._connection.execute("COMMIT")
        self._file.check()  # after the commit: a write to a deleted file must not be acknowledged

    def _checkpoint(self) -> None:
        """Moves the log into the database file while nobody writes; logs a failure, which loses nothing."""
        # SQLite before 3.51.3 may lose commits if one connection does this while another writes. So only this
        # connection does it, and FULL blocks other processes. It waits for no reader: the next one moves the rest.
        try:
            self._connection.execute("PRAGMA wal_checkpoint(FULL)").fetchone()
        except sqlite3.Error as error:
            log.warning("checkpoint failed", error=str(error))

    def _run_commit_hook(self) -> None:
        """Runs the schema's work before a commit, such as indexing the search: see the view ``before_commit``."""
        if not self._has_commit_hook:
            found = self._connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'before_commit'").fetchone()
            self._has_commit_hook = found is not None
        written = -1
        while self._has_commit_hook and written != self._connection.total_changes:
            written = self._connection.total_changes
            self._connection.execute("INSERT INTO before_commit VALUES (NULL)")
