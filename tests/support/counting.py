"""Counting statements."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

from taskwell.database import Lane, Query

T = TypeVar("T")


class CountingLane(Lane):
    """Another lane, and how many statements went through it."""

    def __init__(self, lane: Lane) -> None:
        self._lane = lane
        self.statements = 0

    async def rows(self, query: Query[T], /, **values: object) -> list[T]:
        self.statements += 1
        return await self._lane.rows(query, **values)

    async def many(self, query: Query[T], values: Sequence[Mapping[str, object]], /) -> None:
        self.statements += len(values)
        await self._lane.many(query, values)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Lane]:
        async with self._lane.transaction() as transaction:
            inner = CountingLane(transaction)
            try:
                yield inner
            finally:
                self.statements += inner.statements
