"""PostgreSQL: SQLAlchemy's pool, and asyncpg underneath without a layer between.

SQLAlchemy composes and compiles the statements and owns the connections (size, overflow, recycling, waiting
time); its cursor layer is left out, because it costs more than the statements that Taskwell runs.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import asyncpg
from sqlalchemy import event, exc
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.util.concurrency import greenlet_spawn

from taskwell.database.lanes import (
    Database,
    DatabaseFull,
    ForeignKeyViolated,
    Lane,
    UniqueViolated,
)
from taskwell.database.query import Query
from taskwell.errors import AppError, Unavailable

if TYPE_CHECKING:
    from sqlalchemy.pool import PoolProxiedConnection

T = TypeVar("T")

LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    ConnectionError,
    OSError,
    exc.DBAPIError,
)
"""What says that the connection is gone or cannot be had, not that the statement is wrong."""

RETRIABLE = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)


class PostgresDatabase(Database):
    name = "postgresql"

    def __init__(self, engine: AsyncEngine, *, ping_after_idle: float) -> None:
        self.engine = engine
        _check_on_checkout(engine, ping_after_idle)

    async def rows(self, query: Query[T], /, **values: object) -> list[T]:
        (step,) = query.steps(self.engine.dialect)
        arguments = step.arguments(values)
        async with self._connection() as connection:
            with _told():
                return query.read(step, await connection.fetch(step.text, *arguments))

    async def many(self, query: Query[T], values: Sequence[Mapping[str, object]], /) -> None:
        async with self.transaction() as transaction:
            await transaction.many(query, values)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Lane]:
        async with self._connection() as connection:
            with _told():
                async with connection.transaction():
                    yield PostgresTransaction(self, connection)

    async def stream(self, query: Query[T], /, **values: object) -> AsyncIterator[T]:
        (step,) = query.steps(self.engine.dialect)
        async with self._connection() as connection:
            with _told():
                async with connection.transaction(isolation="repeatable_read", readonly=True):
                    cursor = await connection.cursor(step.text, *step.arguments(values))
                    while rows := await cursor.fetch(500):
                        for row in query.read(step, rows):
                            yield row

    async def close(self) -> None:
        await self.engine.dispose()

    @asynccontextmanager
    async def _connection(self) -> "AsyncIterator[asyncpg.Connection[Any]]":
        with _told():
            proxy: PoolProxiedConnection = await greenlet_spawn(self.engine.sync_engine.raw_connection)
        try:
            yield proxy.driver_connection
        finally:
            await asyncio.shield(greenlet_spawn(proxy.close))


class PostgresTransaction(Lane):
    """The write lane: statements on the one connection that holds the transaction."""

    def __init__(self, database: PostgresDatabase, connection: "asyncpg.Connection[Any]") -> None:
        self._dialect = database.engine.dialect
        self._connection = connection

    async def rows(self, query: Query[T], /, **values: object) -> list[T]:
        (step,) = query.steps(self._dialect)
        return query.read(step, await self._connection.fetch(step.text, *step.arguments(values)))

    async def many(self, query: Query[T], values: Sequence[Mapping[str, object]], /) -> None:
        (step,) = query.steps(self._dialect)
        await self._connection.executemany(step.text, [step.arguments(each) for each in values])

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Lane]:
        yield self


@contextmanager
def _told() -> Iterator[None]:
    """Turns the driver's errors into ours; what is neither is a bug and stays as it is."""
    try:
        yield
    except AppError:
        raise
    except asyncpg.UniqueViolationError as error:
        raise UniqueViolated(error.constraint_name or "unique") from error
    except asyncpg.ForeignKeyViolationError as error:
        raise ForeignKeyViolated(error.constraint_name or "foreign key") from error
    except asyncpg.DiskFullError as error:
        raise DatabaseFull("The database has no room left; nothing was stored.") from error
    except RETRIABLE as error:
        raise Unavailable("Other writes were in the way; send the request again.", retry_after=1) from error
    except exc.TimeoutError as error:
        raise Unavailable("Every database connection is in use; try again shortly.", retry_after=1) from error
    except (*LOST, TimeoutError) as error:
        raise Unavailable("The database cannot be reached; try again shortly.") from error


def _check_on_checkout(engine: AsyncEngine, ping_after_idle: float) -> None:
    """Replaces connections that the server has closed before anybody uses them.

    A closed socket is seen at once and costs nothing to look for; a connection that was idle for longer than
    ``ping_after_idle`` seconds may be half open (a suspended compute, a firewall) and is asked.
    """

    @event.listens_for(engine.sync_engine, "checkin")
    def remember(_: object, record: Any) -> None:
        record.info["idle_since"] = time.monotonic()

    @event.listens_for(engine.sync_engine, "checkout")
    def check(connection: Any, record: Any, _: object) -> None:
        if connection.driver_connection.is_closed():
            raise exc.DisconnectionError("closed by the server")
        idle_since = record.info.get("idle_since")
        if idle_since is not None and time.monotonic() - idle_since > ping_after_idle:
            try:
                engine.dialect.do_ping(connection)
            except Exception as error:
                raise exc.DisconnectionError("lost while idle") from error
