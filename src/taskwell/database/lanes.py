"""The two lanes: how a verb uses either database.

A ``Database`` is the read lane: each query is one autocommitted statement. ``transaction()`` is the write lane: its
statements commit together when the block ends, or not at all if it raises. A verb takes a ``Lane`` and does not know
which of the two it is.
"""

import asyncio
import random
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TypeVar

from taskwell.database.pool import PoolUse
from taskwell.database.query import Query
from taskwell.errors import AppError, Unavailable

T = TypeVar("T")

ROWS_AT_ONCE = 500
"""How many rows a stream holds in memory."""


class ConstraintViolated(Exception):
    """A write broke a constraint of the schema and changed nothing.

    Attributes:
        constraint: Its name on PostgreSQL; on SQLite its kind.
    """

    def __init__(self, constraint: str) -> None:
        super().__init__(constraint)
        self.constraint = constraint


class UniqueViolated(ConstraintViolated):
    pass


class ForeignKeyViolated(ConstraintViolated):
    pass


class DatabaseFull(AppError):
    """The disk has no room for the write; reads go on."""

    status, code, title = 507, "storage_full", "Insufficient storage"

    def __init__(self, detail: str) -> None:
        super().__init__(detail, headers={"Retry-After": "60"})


class InTheWay(Unavailable):
    """The database ended a transaction so that another could go on; nothing of it was stored."""

    def __init__(self) -> None:
        super().__init__("Other writes were in the way; send the request again.", retry_after=1)


ATTEMPTS = 6
FIRST_PAUSE = 0.01


async def retry_deadlocks(work: Callable[[], Awaitable[T]]) -> T:
    """Does a unit of work; if the database aborts it (a deadlock), retries it with growing pauses.

    Raises:
        InTheWay: the last attempt was aborted too.
    """
    for attempt in range(ATTEMPTS - 1):
        try:
            return await work()
        except InTheWay:
            await asyncio.sleep(FIRST_PAUSE * 2**attempt * random.uniform(0.5, 1.5))  # noqa: S311  # so that retries spread out
    return await work()


class Lane(ABC):
    """Runs queries."""

    @abstractmethod
    async def rows(self, query: Query[T], /, **values: object) -> list[T]:
        """Runs the query with a value for each of its parameters.

        Raises:
            ConstraintViolated: such as ``UniqueViolated``.
            Unavailable: the database cannot be reached, or no connection came free in time.
        """

    async def row(self, query: Query[T], /, **values: object) -> T | None:
        """Runs the query and gives the first row, or None."""
        found = await self.rows(query, **values)
        return found[0] if found else None

    @abstractmethod
    async def many(self, query: Query[T], values: Sequence[Mapping[str, object]], /) -> None:
        """Runs the query once for each set of values, in one transaction; drops the rows."""

    @abstractmethod
    def transaction(self) -> AbstractAsyncContextManager["Lane"]:
        """Opens a transaction. Inside another one it gives that one, since a verb may call a verb."""


class Snapshot(ABC):
    """One instant of the database, for reading much of it."""

    @abstractmethod
    def stream(self, query: Query[T], /, **values: object) -> AsyncIterator[T]:
        """The rows one by one, never all of them in memory."""


class Database(Lane):
    """The read lane, and the way into the write lane."""

    @abstractmethod
    def snapshot(self) -> AbstractAsyncContextManager["Snapshot"]:
        """The database as of now. Later writes are not seen, and do not wait."""

    async def stream(self, query: Query[T], /, **values: object) -> AsyncIterator[T]:
        """The rows of one query as of now; see ``Snapshot.stream``."""
        async with self.snapshot() as snapshot:
            async for row in snapshot.stream(query, **values):
                yield row

    async def analyze(self) -> None:
        """Updates the planner's statistics, after many rows were added; SQLite plans without statistics."""

    async def check(self) -> None:
        """Checks that writes are kept, in cases where no statement would fail.

        Raises:
            Unavailable: writes would be lost.
        """

    @abstractmethod
    async def close(self) -> None:
        """Closes every connection; a running transaction is rolled back."""

    def pool_use(self) -> PoolUse:
        """The use of the connection pool; SQLite has none."""
        return PoolUse(0, 0, 0, 0)

    @property
    @abstractmethod
    def name(self) -> str:
        """``sqlite`` or ``postgresql``."""
