"""The places of the pool: never more than its limit, and none lost, whoever comes, fails or gives up."""

import asyncio
import random
from typing import cast

import pytest

from taskwell.database.pool import Connection, ConnectionPool, Pooled, PoolLimits
from taskwell.errors import Unavailable


class Server:
    """What connections lead to; how many there are and were at once."""

    def __init__(self) -> None:
        self.open = 0
        self.most = 0
        self.refuses = False

    async def connect(self) -> Connection:
        self.open += 1
        self.most = max(self.most, self.open)
        line = Line(self)
        await asyncio.sleep(0.001)
        if self.refuses:
            line.terminate()
            raise ConnectionRefusedError
        return cast(Connection, line)


class Line:
    def __init__(self, server: Server) -> None:
        self._server: Server | None = server

    def is_closed(self) -> bool:
        return self._server is None

    async def close(self, *, timeout: float) -> None:  # noqa: ASYNC109, as asyncpg has it
        self.terminate()

    def terminate(self) -> None:
        if self._server is not None:
            self._server.open -= 1
            self._server = None


@pytest.fixture
def server() -> Server:
    return Server()


def pool_of(server: Server, *, size: int = 1, patience: float = 5) -> ConnectionPool:
    return ConnectionPool(server.connect, PoolLimits(size, 0, patience, 240, 20))


async def wanting(pool: ConnectionPool) -> asyncio.Task[Pooled]:
    """Somebody who has asked for a connection."""
    asking = asyncio.create_task(pool.acquire())
    await asyncio.sleep(0)
    return asking


def lost(pool: ConnectionPool, pooled: Pooled) -> None:
    """Gives a connection back whose server has gone."""
    pooled.connection.terminate()
    pool.release(pooled)


async def test_the_place_of_a_lost_connection_is_whose_who_waits_and_not_whose_who_comes(server: Server):
    pool = pool_of(server)
    pooled = await pool.acquire()
    ada = await wanting(pool)

    eve = asyncio.create_task(pool.acquire())  # she runs before ada hears of it
    lost(pool, pooled)

    pooled = await ada
    assert (pool.open, server.open, eve.done()) == (1, 1, False)
    pool.release(pooled)
    pool.release(await eve)
    assert (pool.in_use, server.most) == (0, 1)


async def test_who_gives_a_lost_connection_back_and_wants_another_goes_behind_who_waits(server: Server):
    pool = pool_of(server)
    pooled = await pool.acquire()
    ada = await wanting(pool)

    async def use_another() -> None:
        lost(pool, pooled)
        pool.release(await pool.acquire())

    eve = asyncio.create_task(use_another())
    pool.release(await ada)
    await eve
    assert (pool.in_use, server.most) == (0, 1)


@pytest.mark.parametrize("others", [0, 1])
async def test_a_place_that_came_as_its_waiter_gave_up_is_free_again(server: Server, others: int):
    pool = pool_of(server)
    pooled = await pool.acquire()
    ada = await wanting(pool)
    waiting = [await wanting(pool) for _ in range(others)]

    lost(pool, pooled)
    ada.cancel()
    await asyncio.gather(ada, return_exceptions=True)

    assert ada.cancelled()
    assert pool.open == others
    for eve in waiting or [await wanting(pool)]:
        pool.release(await eve)
    assert (pool.in_use, server.most) == (0, 1)


async def test_a_place_that_came_as_its_waiters_time_was_up_is_free_again(server: Server):
    pool = pool_of(server, patience=0)
    pooled = await pool.acquire()
    ada = await wanting(pool)

    lost(pool, pooled)
    with pytest.raises(Unavailable):
        await ada

    assert pool.open == 0
    pool.release(await pool.acquire())


async def test_where_none_can_be_opened_everybody_who_waits_is_told_and_no_place_is_lost(server: Server):
    pool = pool_of(server)
    pooled = await pool.acquire()
    waiting = [await wanting(pool) for _ in range(3)]
    server.refuses = True

    lost(pool, pooled)
    told = await asyncio.gather(*waiting, return_exceptions=True)

    assert [type(each) for each in told] == [ConnectionRefusedError] * 3
    assert (pool.open, pool.waiting, server.open) == (0, 0, 0)
    server.refuses = False
    pool.release(await pool.acquire())


async def test_whatever_happens_at_once_the_limit_holds_and_in_the_end_nothing_is_in_use(server: Server):
    pool, dice = pool_of(server, size=3, patience=0.02), random.Random(1843)

    async def use() -> None:
        pooled = await pool.acquire()
        try:
            await asyncio.sleep(dice.choice([0, 0, 0.001, 0.003]))
        finally:
            pool.release(pooled, is_sound=dice.random() < 0.6)

    users: list[asyncio.Task[None]] = []
    for _ in range(2_000):
        users.append(asyncio.create_task(use()))
        server.refuses = dice.random() < 0.1
        if dice.random() < 0.5:
            await asyncio.sleep(dice.choice([0, 0, 0.0005]))
        if dice.random() < 0.3:
            dice.choice(users).cancel()
        assert pool.open <= 3
    await asyncio.gather(*users, return_exceptions=True)
    async with asyncio.timeout(5):
        while pool.in_use:  # noqa: ASYNC110  # those that were opened for somebody who is gone
            await asyncio.sleep(0.001)

    assert pool.waiting == 0
    await pool.close()
    assert (pool.open, server.open) == (0, 0)
