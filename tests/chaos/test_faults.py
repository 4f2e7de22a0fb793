"""The database and the network break while clients write: 503 in time, nothing lost, and it recovers by itself."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import asyncpg
import pytest

from tests.chaos.writer import Unanswered, Writer, total, writers
from tests.support.deliveries import until
from tests.support.postgres import DURABLE, PostgresServer
from tests.support.proxy import Proxy
from tests.support.server import Server

ROUNDS = int(os.environ.get("FAULT_ROUNDS", "0"))
"""0 tries the one fault once that ``tests/test_staying_up.py`` does not."""

PATIENCE = {"DATABASE_COMMAND_TIMEOUT_SECONDS": "1", "DATABASE_CONNECT_TIMEOUT_SECONDS": "1"}
LONGEST_ANSWER = 10.0
"""Both of the above, the wait for a connection, and a busy machine."""

LONGEST_RECOVERY = 10.0


@dataclass
class Stage:
    postgres: PostgresServer
    proxy: Proxy
    server: Server


@pytest.fixture(scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """Processes that reach their own PostgreSQL through a proxy."""
    postgres = await asyncio.to_thread(PostgresServer, DURABLE)
    await asyncio.to_thread(postgres.start)
    async with Proxy("127.0.0.1", postgres.port) as proxy:
        url = f"postgresql://postgres@127.0.0.1:{proxy.port}/postgres"
        server = Server(tmp_path_factory.mktemp("stage"), url, workers=2 if ROUNDS else 1, **PATIENCE)
        await asyncio.to_thread(server.start, 60)
        yield Stage(postgres, proxy, server)
        assert await asyncio.to_thread(server.stop) == 0
        assert "Traceback" not in server.log.read_text()
    await asyncio.to_thread(postgres.remove)


async def stopped(stage: Stage) -> None:
    await asyncio.to_thread(stage.postgres.stop, "immediate")
    await asyncio.sleep(1)
    await asyncio.to_thread(stage.postgres.start)


async def terminated(stage: Stage) -> None:
    admin = await asyncpg.connect(stage.postgres.url("postgres"))
    try:
        await admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
    finally:
        await admin.close()


async def cut(stage: Stage) -> None:
    stage.proxy.cut()
    await asyncio.sleep(0)


async def frozen(stage: Stage) -> None:
    stage.proxy.freeze()
    await asyncio.sleep(2.5)
    stage.proxy.thaw()


async def slow(stage: Stage) -> None:
    stage.proxy.delay = 0.05
    await asyncio.sleep(1.5)
    stage.proxy.delay = 0.0


Fault = Callable[[Stage], Awaitable[None]]
FAULTS: dict[str, Fault] = {
    "PostgreSQL stopped hard and started": stopped,
    "every backend terminated": terminated,
    "every connection cut": cut,
    "the network frozen for 2.5 seconds": frozen,
    "the network slowed by 50 ms each way": slow,
}


CHOSEN = FAULTS if ROUNDS else {"every backend terminated": terminated}


@pytest.mark.parametrize("fault", CHOSEN.values(), ids=CHOSEN)
async def test_a_fault_under_load_loses_nothing_and_is_over_by_itself(stage: Stage, fault: Fault, tried):
    recovery = 0.0
    async with writers(stage.server.url, prefix=fault.__name__) as busy:
        for _ in range(ROUNDS or 1):
            is_over, before = asyncio.Event(), total(busy).get("acknowledged", 0)
            writing = asyncio.gather(*(writer.write_until_it_breaks(is_over) for writer in busy))
            await until(lambda: total(busy).get("acknowledged", 0) > before)  # noqa: B023  # of this round
            await asyncio.sleep(0.4)
            await fault(stage)
            healed = time.monotonic()
            is_over.set()
            await asyncio.wait_for(writing, LONGEST_ANSWER)
            await asyncio.gather(*(checked(writer, healed + LONGEST_RECOVERY) for writer in busy))
            recovery = max(recovery, time.monotonic() - healed)
        seen = total(busy)
    assert max(writer.longest for writer in busy) < LONGEST_ANSWER
    assert seen["acknowledged"] > 0
    if fault is slow:
        assert seen.keys().isdisjoint({"503", "504"})
    tried(times=ROUNDS or 1, clients=len(busy), **seen, **{"slowest recovery, seconds": round(recovery, 2)})


async def checked(writer: Writer, until: float) -> None:
    """Checks as soon as the service is back, which it has to be in time."""
    while True:
        try:
            return await writer.check()
        except Unanswered:
            assert time.monotonic() < until, "it has not come back by itself"
            await asyncio.sleep(0.05)


async def test_nothing_is_left_of_the_faults_in_the_pool(stage: Stage):
    """Not a connection, and no transaction that holds a lock."""
    await asyncio.sleep(0.5)
    admin = await asyncpg.connect(stage.postgres.url("postgres"))
    try:
        left = await admin.fetch(
            "SELECT state, query FROM pg_stat_activity WHERE backend_type = 'client backend' "
            "AND state <> 'idle' AND pid <> pg_backend_pid()"
        )
        assert left == []
    finally:
        await admin.close()
