"""PostgreSQL: SQLAlchemy compiles the statements, and asyncpg runs them without a layer between."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import TypeVar

import asyncpg
from sqlalchemy.dialects.postgresql import asyncpg as sqlalchemy_asyncpg

from taskwell.database.lanes import (
    ROWS_AT_ONCE,
    Database,
    DatabaseFull,
    ForeignKeyViolated,
    InTheWay,
    Lane,
    Snapshot,
    UniqueViolated,
)
from taskwell.database.pool import Connection, ConnectionPool, PoolUse
from taskwell.database.query import Query, Step
from taskwell.database.watch import StatementWatch
from taskwell.errors import Unavailable

T = TypeVar("T")

DIALECT = sqlalchemy_asyncpg.dialect()  # type: ignore[no-untyped-call]

ANALYZE_SECONDS = 600
"""The time limit of ANALYZE, which reads a sample of any table."""

LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # the server closed the connection instead of answering
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    OSError,
)
"""Errors that mean a lost or refused connection, not a wrong statement."""

INTERRUPTED = (TimeoutError, asyncio.CancelledError)
"""Errors that leave a statement running on the connection; its next user would wait for it."""

IN_THE_WAY = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError, asyncpg.LockNotAvailableError)


class PostgresDatabase(Database):
    """A pool of connections. A read that loses its connection is retried once; a write is not, as it may be done."""

    name = "postgresql"

    def __init__(self, pool: ConnectionPool, watch: StatementWatch) -> None:
        self.pool = pool
        self._watch = watch

    async def rows(self, query: Query[T], /, **values: object) -> list[T]:
        (step,) = query.steps(DIALECT)
        arguments = step.arguments(values)
        try:
            return query.read(step, await self._fetched(step, arguments))
        except LOST as error:
            if not step.is_read or isinstance(error, TimeoutError):
                raise _ours(error) from error
        # A read changes nothing, so it can run again. The idle connections have most likely been cut off too.
        self.pool.drop_idle()
        try:
            return query.read(step, await self._fetched(step, arguments))
        except LOST as error:
            raise _ours(error) from error

    async def _fetched(self, step: Step, arguments: list[object]) -> "list[asyncpg.Record]":
        pooled = await self.pool.acquire()
        is_sound = True
        started = time.perf_counter()
        try:
            records: list[asyncpg.Record] = await pooled.connection.fetch(step.text, *arguments)
            return records
        except INTERRUPTED:
            is_sound = False
            raise
        except TRANSLATED as error:
            raise _ours(error) from error
        finally:
            self._watch.ended(step, started)
            self.pool.release(pooled, is_sound=is_sound)

    async def many(self, query: Query[T], values: Sequence[Mapping[str, object]], /) -> None:
        async with self.transaction() as transaction:
            await transaction.many(query, values)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Lane]:
        async with self._connection() as connection, connection.transaction():
            yield PostgresTransaction(connection, self._watch)

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Snapshot]:
        async with (
            self._connection() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            yield PostgresSnapshot(connection)

    async def analyze(self) -> None:
        """Does at once what autovacuum does in minutes. Until then a change of one task may scan all of its space."""
        async with self._connection() as connection:
            await connection.execute("ANALYZE", timeout=ANALYZE_SECONDS)

    async def close(self) -> None:
        await self.pool.close()

    def pool_use(self) -> PoolUse:
        return self.pool.use()

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        try:
            pooled = await self.pool.acquire()
            is_sound = False
            try:
                yield pooled.connection
                is_sound = True
            except INTERRUPTED:  # perhaps between BEGIN and its answer; the next write here would not commit
                raise
            except BaseException:
                is_sound = not pooled.connection.is_closed() and not pooled.connection.is_in_transaction()
                raise
            finally:
                self.pool.release(pooled, is_sound=is_sound)
        except (*TRANSLATED, *LOST) as error:
            if isinstance(error.__context__, asyncio.CancelledError):  # asyncpg was ending a cancelled statement
                raise error.__context__ from None
            raise _ours(error) from error


class PostgresTransaction(Lane):
    """The write lane: statements on the one connection that holds the transaction."""

    def __init__(self, connection: Connection, watch: StatementWatch) -> None:
        self._connection = connection
        self._watch = watch

    async def rows(self, query: Query[T], /, **values: object) -> list[T]:
        (step,) = query.steps(DIALECT)
        arguments = step.arguments(values)
        with self._watched(step):
            records = await self._connection.fetch(step.text, *arguments)
        return query.read(step, records)

    async def many(self, query: Query[T], values: Sequence[Mapping[str, object]], /) -> None:
        (step,) = query.steps(DIALECT)
        rows = [step.arguments(each) for each in values]
        with self._watched(step):
            await self._connection.executemany(step.text, rows)

    @contextmanager
    def _watched(self, step: Step) -> Iterator[None]:
        started = time.perf_counter()
        try:
            yield
        except INTERRUPTED:
            self._connection.terminate()  # ROLLBACK would wait for the statement, for ever on a dead network
            raise
        except TRANSLATED as error:
            raise _ours(error) from error
        finally:
            self._watch.ended(step, started)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Lane]:
        yield self


class PostgresSnapshot(Snapshot):
    """A repeatable-read transaction, read through cursors."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def stream(self, query: Query[T], /, **values: object) -> AsyncIterator[T]:
        (step,) = query.steps(DIALECT)
        cursor = await self._connection.cursor(step.text, *step.arguments(values))
        while rows := await cursor.fetch(ROWS_AT_ONCE):
            for row in query.read(step, rows):
                yield row


TRANSLATED = (
    asyncpg.UniqueViolationError,
    asyncpg.ForeignKeyViolationError,
    asyncpg.DiskFullError,
    *IN_THE_WAY,
)


def _ours(error: BaseException) -> Exception:
    """Translates an error of the driver into one of ours."""
    if isinstance(error, asyncpg.UniqueViolationError):
        return UniqueViolated(error.constraint_name or "unique")
    if isinstance(error, asyncpg.ForeignKeyViolationError):
        return ForeignKeyViolated(error.constraint_name or "foreign key")
    if isinstance(error, asyncpg.DiskFullError):
        return DatabaseFull("The database has no room left; nothing was stored.")
    if isinstance(error, IN_THE_WAY):
        return InTheWay()
    return Unavailable("The database cannot be reached; try again shortly.")
