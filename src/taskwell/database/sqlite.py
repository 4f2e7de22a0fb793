"""SQLite, by the driver of the standard library.

A read takes microseconds, less than a switch to a thread, so it runs on the event loop. Writes queue for the one
writing connection (``writer``). Heavy reads and writes run in a thread.
"""

import asyncio
import os
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TypeVar
from weakref import WeakValueDictionary

from sqlalchemy.dialects.sqlite import dialect as sqlite_dialect

from taskwell.database.file import DatabaseFile
from taskwell.database.lanes import (
    ROWS_AT_ONCE,
    Database,
    DatabaseFull,
    ForeignKeyViolated,
    Lane,
    Snapshot,
    UniqueViolated,
)
from taskwell.database.query import Query
from taskwell.database.search_tokens import search_words
from taskwell.database.threads import to_its_end
from taskwell.database.watch import StatementWatch
from taskwell.database.writer import Writer
from taskwell.errors import Unavailable

T = TypeVar("T")

DIALECT = sqlite_dialect()
READ_THREADS = 2
CACHE_KIB = 3_000
"""The page cache of a connection. The system caches too: five times as much makes a list only 2 % faster."""

BUSY_TIMEOUT = 5.0
"""Seconds to wait while another process locks the file."""

UNUSABLE = (
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_CORRUPT,
)
"""Errors of the file or its disk. The log has the exact cause."""


def connect(path: Path, *, busy_timeout: float = BUSY_TIMEOUT) -> sqlite3.Connection:
    """Opens a connection with Taskwell's settings. A new file is readable only by its owner."""
    with suppress(OSError):  # the file exists, or SQLite gives the better error
        os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))  # SQLite gives its log and index the same rights
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=busy_timeout)
    _use_write_ahead_log(connection, busy_timeout)
    for pragma in (
        "synchronous=FULL",  # an acknowledged write survives a power cut, not only a crash of the process
        "foreign_keys=ON",
        f"cache_size=-{CACHE_KIB}",
        "temp_store=MEMORY",
        "wal_autocheckpoint=0",  # the writer moves the log: see Writer._checkpoint
    ):
        connection.execute(f"PRAGMA {pragma}")
    connection.create_function("search_words", 1, search_words, deterministic=True)
    return connection


def _use_write_ahead_log(connection: sqlite3.Connection, busy_timeout: float) -> None:
    """Turns on the write-ahead log; retries if another process does the same with a new file.

    SQLite's busy timeout does not apply here, since each process may hold the lock that the other needs.
    """
    give_up = time.monotonic() + busy_timeout
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > give_up:
                raise
            time.sleep(0.005)
        else:
            return


class SqliteDatabase(Database):
    """One file: a writing connection, a reading one on the event loop, and some in threads for heavy reads."""

    name = "sqlite"

    def __init__(self, path: Path, watch: StatementWatch) -> None:
        self._path = path
        self._watch = watch
        with translated_errors():
            writing = connect(path)
            writing.execute(f"PRAGMA cache_size=-{2 * CACHE_KIB}")
            self._reader = connect(path)
            self._file = DatabaseFile(path)
            self._writer = Writer(writing, self._file, busy_timeout=BUSY_TIMEOUT)
        self._reader.execute("PRAGMA query_only=ON")
        self._read_threads = ThreadPoolExecutor(READ_THREADS, thread_name_prefix="sqlite-read")
        self._spare: list[sqlite3.Connection] = []
        self._turns: WeakValueDictionary[object, asyncio.Lock] = WeakValueDictionary()

    async def rows(self, query: Query[T], /, **values: object) -> list[T]:
        if not query.steps(DIALECT)[-1].is_read:
            return await self._written(query, values)
        if self._file.is_gone:
            self._file.check()
        started = time.perf_counter()
        try:
            if query.is_heavy:
                async with self._turn_of(values.get("user_id")):
                    return await to_its_end(self._read_threads, partial(self._heavy, query, values))
            with translated_errors():
                return _run(self._reader, query, values)
        finally:
            self._watch.ended(query.steps(DIALECT)[-1], started)

    def _turn_of(self, user_id: object) -> asyncio.Lock:
        """The lock for heavy reads of one user: each user runs one at a time, so the threads serve all users."""
        turn = self._turns.get(user_id)
        if turn is None:
            turn = self._turns[user_id] = asyncio.Lock()
        return turn

    async def _written(self, query: Query[T], values: Mapping[str, object]) -> list[T]:
        """Runs a single write, in the transaction of its group."""
        if query.is_heavy:
            async with self.transaction() as transaction:
                return await transaction.rows(query, **values)

        def work(connection: sqlite3.Connection) -> list[T]:
            started = time.perf_counter()
            try:
                return _run(connection, query, values)
            finally:
                self._watch.ended(query.steps(DIALECT)[-1], started)

        with translated_errors():
            return await self._writer.write(work)

    def _heavy(self, query: Query[T], values: Mapping[str, object]) -> list[T]:
        with translated_errors():
            connection = self._spare.pop() if self._spare else self._connected()
            try:
                return _run(connection, query, values)
            finally:
                self._spare.append(connection)

    async def many(self, query: Query[T], values: Sequence[Mapping[str, object]], /) -> None:
        async with self.transaction() as transaction:
            await transaction.many(query, values)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Lane]:
        with translated_errors():
            async with self._writer.transaction() as connection:
                yield SqliteTransaction(connection, self._writer, self._watch)

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Snapshot]:
        with translated_errors(), closing(self._connected()) as connection:
            connection.execute("PRAGMA cache_size=-1000")  # each page is read once
            connection.execute("BEGIN")
            yield SqliteSnapshot(connection, self._read_threads)

    def _connected(self) -> sqlite3.Connection:
        self._file.check()  # SQLite would create a new, empty file
        return connect(self._path)

    async def check(self) -> None:
        self._file.check()

    async def close(self) -> None:
        await self._writer.close()
        self._read_threads.shutdown()
        for connection in self._spare:
            connection.close()
        self._reader.close()


class SqliteSnapshot(Snapshot):
    """A read transaction on a connection of its own; rows are fetched in a thread."""

    def __init__(self, connection: sqlite3.Connection, threads: ThreadPoolExecutor) -> None:
        self._connection = connection
        self._threads = threads

    async def stream(self, query: Query[T], /, **values: object) -> AsyncIterator[T]:
        (step,) = query.steps(DIALECT)
        run = partial(to_its_end, self._threads)
        with translated_errors():
            cursor = await run(partial(self._connection.execute, step.text, step.arguments(values)))
            while rows := await run(partial(cursor.fetchmany, ROWS_AT_ONCE)):
                for row in query.read(step, rows):
                    yield row


class SqliteTransaction(Lane):
    """The write lane: statements on the writing connection, which holds the transaction."""

    def __init__(self, connection: sqlite3.Connection, writer: Writer, watch: StatementWatch) -> None:
        self._connection = connection
        self._writer = writer
        self._watch = watch

    async def rows(self, query: Query[T], /, **values: object) -> list[T]:
        started = time.perf_counter()
        try:
            with translated_errors():
                if query.is_heavy:
                    return await self._writer.in_thread(partial(_run, self._connection, query, values))
                return _run(self._connection, query, values)
        finally:
            self._watch.ended(query.steps(DIALECT)[-1], started)

    async def many(self, query: Query[T], values: Sequence[Mapping[str, object]], /) -> None:
        with translated_errors():
            for step in query.steps(DIALECT):
                rows = [step.arguments(each) for each in values]
                started = time.perf_counter()
                try:
                    self._connection.executemany(step.text, rows)
                finally:
                    self._watch.ended(step, started)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Lane]:
        yield self


def _run(connection: sqlite3.Connection, query: Query[T], values: Mapping[str, object]) -> list[T]:
    *before, last = query.steps(DIALECT)
    for step in before:
        connection.execute(step.text, step.arguments(values))
    return query.read(last, connection.execute(last.text, last.arguments(values)).fetchall())


@contextmanager
def translated_errors() -> Iterator[None]:
    """Translates the driver's errors into ours. Any other error is a bug and passes unchanged."""
    try:
        yield
    except sqlite3.IntegrityError as error:
        kind = {
            sqlite3.SQLITE_CONSTRAINT_UNIQUE: UniqueViolated,
            sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY: UniqueViolated,
            sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY: ForeignKeyViolated,
        }.get(error.sqlite_errorcode)
        if kind is None:
            raise
        raise kind(str(error)) from error
    except sqlite3.DatabaseError as error:
        primary = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_MISUSE) & 0xFF
        if primary == sqlite3.SQLITE_FULL:
            raise DatabaseFull("The disk is full; nothing was stored.") from error
        if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise Unavailable("Another process is writing; try again shortly.", retry_after=1) from error
        if primary in UNUSABLE:
            raise Unavailable("The database cannot be used; try again shortly.") from error
        raise
