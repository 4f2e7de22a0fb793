"""What a verb may do with the database, whichever it is.

There are two lanes. A ``Database`` is the read lane: each query is one autocommitted statement on a pooled
connection. ``transaction()`` is the write lane: its statements commit together when the block ends, and not
at all when it raises. A verb takes a ``Lane`` and does not know in which of the two it was called.
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
    """A write broke a constraint of the schema, and so changed nothing.

    Attributes:
        constraint: Its name where the database tells it (PostgreSQL), else what kind it is.
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


async def persistently(work: Callable[[], Awaitable[T]]) -> T:
    """Does a unit of work, and retries it, later and later, where other writes were in its way.

    Raises:
        InTheWay: they still are.
    """
    for attempt in range(ATTEMPTS - 1):
        try:
            return await work()
        except InTheWay:
            await asyncio.sleep(FIRST_PAUSE * 2**attempt * random.uniform(0.5, 1.5))  # noqa: S311  # they spread out
    return await work()


class Lane(ABC):
    """Runs queries."""

    @abstractmethod
    async def rows(self, query: Query[T], /, **values: object) -> list[T]:
        """Runs the query with a value for each of its parameters.

        Raises:
            UniqueViolated: or another ``ConstraintViolated``.
            Unavailable: the database cannot be reached, or no connection came free in time.
        """

    async def row(self, query: Query[T], /, **values: object) -> T | None:
        """The first row, or None where there is none."""
        found = await self.rows(query, **values)
        return found[0] if found else None

    @abstractmethod
    async def many(self, query: Query[T], values: Sequence[Mapping[str, object]], /) -> None:
        """Runs the query once for each set of values, in one transaction; what it returns is dropped."""

    @abstractmethod
    def transaction(self) -> AbstractAsyncContextManager["Lane"]:
        """One transaction; inside another it is the same one, since a verb may be called from a larger verb."""


class Snapshot(ABC):
    """One instant of the database, for reading much of it."""

    @abstractmethod
    def stream(self, query: Query[T], /, **values: object) -> AsyncIterator[T]:
        """The rows one after the other, never all of them in memory."""


class Database(Lane):
    """The read lane, and the way into the write lane."""

    @abstractmethod
    def snapshot(self) -> AbstractAsyncContextManager["Snapshot"]:
        """The database as it is now; writes that come while it is read are not seen, and do not wait."""

    async def stream(self, query: Query[T], /, **values: object) -> AsyncIterator[T]:
        """The rows of one query as of now; see ``Snapshot.stream``."""
        async with self.snapshot() as snapshot:
            async for row in snapshot.stream(query, **values):
                yield row

    async def analyze(self) -> None:
        """Has the planner count rows again, after many came at once; SQLite plans without statistics."""

    async def check(self) -> None:
        """Looks whether what is written is kept, as far as no statement would tell.

        Raises:
            Unavailable: it is not.
        """

    @abstractmethod
    async def close(self) -> None:
        """Closes every connection; a running transaction is rolled back."""

    def pool_use(self) -> PoolUse:
        """The connections to a server; SQLite needs none."""
        return PoolUse(0, 0, 0, 0)

    @property
    @abstractmethod
    def name(self) -> str:
        """``sqlite`` or ``postgresql``."""
