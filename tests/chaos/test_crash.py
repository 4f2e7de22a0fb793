"""An acknowledged write survives ``kill -9`` of the server, and a retried one happens once."""

import asyncio
import os
import random
from pathlib import Path

import pytest

from tests.chaos.writer import Writer
from tests.conftest import new_postgres_database
from tests.support.server import Server

ROUNDS = int(os.environ.get("CHAOS_ROUNDS", "1"))
WRITERS = 4


@pytest.mark.parametrize(("kind", "workers"), [("sqlite", 1), ("postgresql", 1), ("postgresql", 2)])
async def test_what_was_acknowledged_is_there_after_the_server_was_killed(
    kind: str, workers: int, tmp_path: Path, report_chaos
):
    if kind == "sqlite":
        acknowledged = await _crash(Server(tmp_path, f"sqlite:///{tmp_path}/taskwell.db"))
    else:
        async with new_postgres_database(f"taskwell_crash_{workers}") as url:
            acknowledged = await _crash(Server(tmp_path, url, workers=workers))
    report_chaos(f"kill -9, {kind}, {workers} worker(s)", rounds=ROUNDS, acknowledged=acknowledged)


async def _crash(server: Server) -> int:
    """Rounds of writing, killing, starting and checking; gives how many writes were acknowledged."""
    dice = random.Random(1)
    server.start()
    try:
        writers = [await Writer.arrive(server.url, f"writer{number}") for number in range(WRITERS)]
        for _ in range(ROUNDS):
            writing = asyncio.gather(*(writer.write_until_it_breaks() for writer in writers))
            await asyncio.sleep(dice.uniform(0.3, 1.2))
            server.kill()
            await writing
            server.start()
            await asyncio.gather(*(writer.check() for writer in writers))
        for writer in writers:
            await writer.http.aclose()
        return sum(writer.acknowledged for writer in writers)
    finally:
        server.kill()
