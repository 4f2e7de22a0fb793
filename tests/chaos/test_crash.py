"""An acknowledged write survives ``kill -9`` of the server, and a retried one happens once."""

import asyncio
import os
import random
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.writer import total, writers
from tests.conftest import new_postgres_database
from tests.support.server import Server

ROUNDS = int(os.environ.get("CHAOS_ROUNDS", "1"))
WRITERS = 4
SETUPS = {"sqlite": ("sqlite", 1), "postgresql, two processes": ("postgresql", 2)} | (
    {"postgresql": ("postgresql", 1)} if ROUNDS > 1 else {}
)


@pytest.mark.parametrize(("kind", "workers"), SETUPS.values(), ids=SETUPS)
async def test_what_was_acknowledged_is_there_after_the_server_was_killed(
    kind: str, workers: int, tmp_path: Path, tried
):
    if kind == "sqlite":
        seen = await _crash(Server(tmp_path, f"sqlite:///{tmp_path}/taskwell.db"))
    else:
        async with new_postgres_database(f"taskwell_crash_{workers}") as url:
            seen = await _crash(Server(tmp_path, url, workers=workers))
    assert "503" not in seen
    tried(kills=ROUNDS, clients=WRITERS, **seen)


async def _crash(server: Server) -> dict[str, Any]:
    """Rounds of writing, killing, starting and checking; gives what the writers saw."""
    dice = random.Random(os.environ.get("CHAOS_SEED", "1"))
    await asyncio.to_thread(server.start)
    try:
        async with writers(server.url, WRITERS) as busy:
            for _ in range(ROUNDS):
                writing = asyncio.gather(*(writer.write_until_it_breaks() for writer in busy))
                await asyncio.sleep(dice.uniform(0.3, 1.2))
                server.kill()
                await writing
                await asyncio.to_thread(server.start)
                await asyncio.gather(*(writer.check() for writer in busy))
            return total(busy)
    finally:
        server.kill()
