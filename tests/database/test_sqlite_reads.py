"""SQLite's threads for heavy reads are shared by all users, and none of them gets more than a share."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import bindparam, func, literal, select

from taskwell.database import Query
from taskwell.database.sqlite import SqliteDatabase
from taskwell.database.watch import StatementWatch

_numbers = select(literal(1).label("number")).cte("numbers", recursive=True)
_numbers = _numbers.union_all(select(_numbers.c.number + 1).where(_numbers.c.number < bindparam("end")))
COUNTING: Query[int] = Query(
    select(func.count()).select_from(_numbers).where(bindparam("user_id") != ""), int, is_heavy=True
)
END = 100_000
"""Some hundredths of a second of work."""


@pytest.fixture
async def file(tmp_path: Path) -> AsyncIterator[SqliteDatabase]:
    database = SqliteDatabase(tmp_path / "taskwell.db", StatementWatch("sqlite", 0))
    yield database
    await database.close()


async def test_who_asks_for_much_at_once_keeps_nobody_else_waiting(file: SqliteDatabase):
    done: list[str] = []

    async def count(user_id: str) -> None:
        await file.rows(COUNTING, user_id=user_id, end=END)
        done.append(user_id)

    reads = [asyncio.create_task(count("ada")) for _ in range(20)]
    await asyncio.sleep(0)
    reads += [asyncio.create_task(count("eve")) for _ in range(2)]
    await asyncio.gather(*reads)

    assert [done.index("eve") < 3, done[:6].count("eve")] == [True, 2]


async def test_who_gives_up_does_not_get_a_second_thread(file: SqliteDatabase):
    first = asyncio.create_task(file.rows(COUNTING, user_id="ada", end=10 * END))
    await asyncio.sleep(0.05)
    first.cancel()
    second = asyncio.create_task(file.rows(COUNTING, user_id="ada", end=1))
    await asyncio.wait([first, second], return_when=asyncio.FIRST_COMPLETED)

    assert first.done()
    assert await second == [1]
    assert not file._turns
