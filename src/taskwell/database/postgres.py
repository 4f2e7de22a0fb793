"""PostgreSQL: SQLAlchemy composes and compiles the statements, asyncpg runs them, with no layer between."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

import asyncpg
from sqlalchemy.dialects.postgresql import asyncpg as sqlalchemy_asyncpg

from taskwell.database.lanes import (
    ROWS_AT_ONCE,
    Database,
    DatabaseFull,
    ForeignKeyViolated,
    Lane,
    Snapshot,
    UniqueViolated,
)
from taskwell.database.pool import Connection, ConnectionPool
from taskwell.database.query import Query, Step
from taskwell.errors import Unavailable

T = TypeVar("T")

DIALECT = sqlalchemy_asyncpg.dialect()  # type: ignore[no-untyped-call]

LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    OSError,
)
"""What says that the connection is gone or cannot be had, not that the statement is wrong."""

IN_THE_WAY = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError, asyncpg.LockNotAvailableError)


class PostgresDatabase(Database):
    name = "postgresql"

    def __init__(self, pool: ConnectionPool) -> None:
        self.pool = pool

    async def rows(self, query: Query[T], /, **values: object) -> list[T]:
        (step,) = query.steps(DIALECT)
        arguments = step.arguments(values)
        try:
            return query.read(step, await self._fetched(step, arguments))
        except LOST as error:
            if not step.is_read:
                raise _ours(error) from error
        # A read that lost its connection has changed nothing, and a new connection may well be there.
        try:
            return query.read(step, await self._fetched(step, arguments))
        except LOST as error:
            raise _ours(error) from error

    async def _fetched(self, step: Step, arguments: list[object]) -> "list[asyncpg.Record]":
        pooled = await self.pool.acquire()
        try:
            records: list[asyncpg.Record] = await pooled.connection.fetch(step.text, *arguments)
            return records
        except TRANSLATED as error:
            raise _ours(error) from error
        finally:
            self.pool.release(pooled)

    async def many(self, query: Query[T], values: Sequence[Mapping[str, object]], /) -> None:
        async with self.transaction() as transaction:
            await transaction.many(query, values)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Lane]:
        async with self._connection() as connection, connection.transaction():
            yield PostgresTransaction(connection)

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Snapshot]:
        async with (
            self._connection() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            yield PostgresSnapshot(connection)

    async def close(self) -> None:
        await self.pool.close()

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        try:
            pooled = await self.pool.acquire()
            try:
                yield pooled.connection
            finally:
                self.pool.release(pooled)
        except (*TRANSLATED, *LOST) as error:
            raise _ours(error) from error


class PostgresTransaction(Lane):
    """The write lane: statements on the one connection that holds the transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def rows(self, query: Query[T], /, **values: object) -> list[T]:
        (step,) = query.steps(DIALECT)
        try:
            return query.read(step, await self._connection.fetch(step.text, *step.arguments(values)))
        except TRANSLATED as error:
            raise _ours(error) from error

    async def many(self, query: Query[T], values: Sequence[Mapping[str, object]], /) -> None:
        (step,) = query.steps(DIALECT)
        try:
            await self._connection.executemany(step.text, [step.arguments(each) for each in values])
        except TRANSLATED as error:
            raise _ours(error) from error

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
    """The driver's error as the domain knows it."""
    if isinstance(error, asyncpg.UniqueViolationError):
        return UniqueViolated(error.constraint_name or "unique")
    if isinstance(error, asyncpg.ForeignKeyViolationError):
        return ForeignKeyViolated(error.constraint_name or "foreign key")
    if isinstance(error, asyncpg.DiskFullError):
        return DatabaseFull("The database has no room left; nothing was stored.")
    if isinstance(error, IN_THE_WAY):
        return Unavailable("Other writes were in the way; send the request again.", retry_after=1)
    return Unavailable("The database cannot be reached; try again shortly.")
